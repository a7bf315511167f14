using System.Text;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

internal static class HistoryReader
{
    /// <summary>Returns the changes that the history holds: index, kind, key and value.</summary>
    public static List<string> All(ChangeHistory history)
    {
        List<string> changes = [];
        HistoryExtent extent = history.Read();
        for (long position = extent.Tail; position < extent.Head;)
        {
            Assert.True(TryRead(history, position, out Change change, out string text));
            changes.Add(text);
            position += change.Length;
        }
        return changes;
    }

    public static bool TryRead(ChangeHistory history, long position, out Change change, out string text)
    {
        byte[] key = new byte[64];
        text = "";
        if (!history.TryRead(position, out change, key))
            return false;
        byte[] value = new byte[change.ValueLength];
        if (!history.TryReadValue(position, change, 0, value))
            return false;
        text = $"{change.Index} {change.Kind} {Encoding.Latin1.GetString(key, 0, change.KeyLength)} "
            + Encoding.Latin1.GetString(value);
        return true;
    }
}
