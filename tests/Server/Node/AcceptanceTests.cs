using RaftFast.Server.Node;

namespace RaftFast.Server.Tests.Node;

public sealed class AcceptanceTests
{
    [Fact]
    public void Empty_directory_takes_messages_only_of_members_that_have_accepted_it()
    {
        Acceptance acceptance = new(hasPromised: false);
        Assert.False(acceptance.IsBy(2));
        acceptance.Add(2);
        Assert.True(acceptance.IsBy(2));
        Assert.False(acceptance.IsBy(3));
    }

    [Fact]
    public void Directory_that_held_promises_takes_messages_of_all_members()
    {
        Acceptance acceptance = new(hasPromised: true);
        Assert.True(acceptance.IsBy(2));
    }
}
