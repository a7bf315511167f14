using System.Text;
using RaftFast.Server.Api;

namespace RaftFast.Server.Tests.Api;

public sealed class WatchGroupsTests
{
    [Fact]
    public void Every_prefix_of_a_key_is_found_and_no_other()
    {
        Random random = new(11);
        for (int round = 0; round < 300; round++)
        {
            WatchGroups groups = new();
            HashSet<string> prefixes = [];
            for (int i = random.Next(30); i > 0; i--)
            {
                string prefix = Text(random);
                prefixes.Add(prefix);
                groups.GetOrAdd(Encoding.ASCII.GetBytes(prefix));
            }
            foreach (string prefix in prefixes.Where(_ => random.Next(4) == 0).ToArray())
            {
                prefixes.Remove(prefix);
                groups.Remove(groups.GetOrAdd(Encoding.ASCII.GetBytes(prefix)));
            }
            for (int i = 0; i < 50; i++)
            {
                string key = Text(random);
                List<string> found = [];
                byte[] bytes = Encoding.ASCII.GetBytes(key);
                int length = Math.Min(bytes.Length, groups.PrefixBytesMax);
                for (WatchGroup? group = groups.Find(bytes.AsSpan(0, length)); group is not null; group = group.Shorter)
                    found.Add(Encoding.ASCII.GetString(group.Prefix));
                Assert.Equal(
                    prefixes.Where(prefix => key.StartsWith(prefix, StringComparison.Ordinal))
                        .OrderByDescending(prefix => prefix.Length),
                    found);
            }
        }
    }

    private static string Text(Random random)
    {
        char[] text = new char[random.Next(6)];
        foreach (ref char letter in text.AsSpan())
            letter = (char)('a' + random.Next(2));
        return new string(text);
    }
}
