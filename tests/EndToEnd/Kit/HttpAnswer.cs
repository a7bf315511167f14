using System.Text;

namespace RaftFast.EndToEnd.Tests.Kit;

internal sealed record HttpAnswer(int Status, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);
}
