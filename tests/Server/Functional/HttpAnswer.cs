using System.Text;

namespace RaftFast.Server.Tests.Functional;

internal sealed record HttpAnswer(int Status, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);
}
