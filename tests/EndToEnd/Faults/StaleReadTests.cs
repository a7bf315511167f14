using System.Text;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Faults;

public sealed class StaleReadTests
{
    [Fact]
    public void An_old_leader_that_slept_through_an_election_answers_no_stale_read()
    {
        using Cluster cluster = Cluster.Start(3);
        for (int round = 0; round < 3; round++)
        {
            ClusterNode old = cluster.WaitForLeader();
            ClusterNode other = cluster.Others(old).First();
            Assert.Equal(204, Curl.Put(old.Url("/key"), $"old {round}").Status);

            old.Process.Pause();
            Eventually.True(
                () => other.TryExchange("PUT", "/key", Encoding.ASCII.GetBytes($"new {round}"))?.Status == 204,
                () => $"the others elect a leader, {cluster}");
            // The kernel accepts these requests for the paused process. When the process resumes, it finds them and its
            // peers' messages at once.
            HttpConnection[] waiting = [.. Enumerable.Range(0, 8).Select(_ => HttpConnection.Open(old.HttpPort))];
            foreach (HttpConnection connection in waiting)
                connection.Send("GET", "/key");
            old.Process.Resume();
            foreach (HttpConnection connection in waiting)
            {
                HttpAnswer answer = connection.Receive();
                connection.Dispose();
                Assert.True(
                    answer.Status is 503 or 504 || answer is { Status: 200 } && answer.Text == $"new {round}",
                    $"{answer.Status} {answer.Text}\n{cluster}");
            }
            cluster.WaitUntilReady();
        }
    }
}
