using System.Globalization;
using System.IO.Pipes;
using System.Text;
using RaftFast.Server.Logging;

namespace RaftFast.Server.Tests.Logging;

public sealed class LineWriterTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public void Lines_come_out_in_order()
    {
        using MemoryStream output = new();
        LineWriter lines = new(output);
        for (int i = 0; i < 1000; i++)
            lines.Write(string.Create(CultureInfo.InvariantCulture, $"{i}\n"));

        Assert.True(lines.Drain(Patience));
        Assert.Equal(
            string.Join("", Enumerable.Range(0, 1000).Select(i => $"{i}\n")),
            Encoding.UTF8.GetString(output.ToArray()));
    }

    [Fact]
    public void Stream_that_blocks_holds_up_no_writer_and_lost_lines_are_counted()
    {
        using AnonymousPipeServerStream pipe = new(PipeDirection.In);
        using AnonymousPipeClientStream input = new(PipeDirection.Out, pipe.ClientSafePipeHandle);
        LineWriter lines = new(input);
        string line = new string('x', 1023) + "\n";
        int written = 3 * LineWriter.WaitingBytesMax / line.Length;

        // The pipe holds 64 KiB and is not read: none of these calls may wait for it.
        for (int i = 0; i < written; i++)
            lines.Write(line);
        Assert.False(lines.Drain(TimeSpan.FromMilliseconds(50)));

        using StreamReader reader = new(pipe);
        int read = 0;
        int lost = 0;
        while (read + lost < written)
        {
            string next = reader.ReadLine()!;
            if (next.StartsWith('x'))
                read++;
            else
                lost += int.Parse(next.Split("LineWriter: ")[1].Split(' ')[0], CultureInfo.InvariantCulture);
        }
        Assert.Equal(written, read + lost);
        Assert.InRange(lost, written / 2, written);
        Assert.True(lines.Drain(Patience));
    }
}
