using System.Globalization;
using System.Text;
using RaftFast.Server.Node;

namespace RaftFast.Server.Api;

/// <summary>Writes Prometheus' text format, version 0.0.4: families, each with its help, type and samples.</summary>
internal sealed class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private const string Prefix = "raftfast_";

    private readonly StringBuilder text = new(32 * 1024);
    private string family = "";

    /// <param name="name">Without the prefix; or a whole name that begins with <c>process_</c>.</param>
    /// <param name="help">Meaning of the figure, and what to do about it.</param>
    public PrometheusText Counter(string name, string help) => Family(name, "counter", help);

    /// <inheritdoc cref="Counter(string, string)"/>
    public PrometheusText Gauge(string name, string help) => Family(name, "gauge", help);

    /// <summary>A family of one sample without labels.</summary>
    public void Counter(string name, string help, double value) => Counter(name, help).Sample("", value);

    /// <inheritdoc cref="Counter(string, string, double)"/>
    public void Gauge(string name, string help, double value) => Gauge(name, help).Sample("", value);

    /// <param name="labels">Labels as they stand within the braces; empty for none. No value needs escapes.</param>
    public PrometheusText Sample(string labels, double value)
    {
        Line(family, "", labels, value);
        return this;
    }

    /// <param name="unit">
    /// Factor from a recorded value to the unit of the name: 1e-6 from microseconds to seconds.
    /// </param>
    public void Histogram(string name, string help, HistogramCopy histogram, double unit)
    {
        Family(name, "histogram", help);
        long count = 0;
        for (int i = 0; i < histogram.Bounds.Length; i++)
        {
            count += histogram.Counts[i];
            Line(family, "_bucket", $"le=\"{Number(histogram.Bounds[i] * unit)}\"", count);
        }
        count += histogram.Counts[^1];
        Line(family, "_bucket", "le=\"+Inf\"", count);
        Line(family, "_sum", "", histogram.Sum * unit);
        Line(family, "_count", "", count);
    }

    public byte[] ToUtf8() => Encoding.UTF8.GetBytes(text.ToString());

    private PrometheusText Family(string name, string type, string help)
    {
        family = name.StartsWith("process_", StringComparison.Ordinal) ? name : Prefix + name;
        text.Append("# HELP ").Append(family).Append(' ').Append(help).Append('\n');
        text.Append("# TYPE ").Append(family).Append(' ').Append(type).Append('\n');
        return this;
    }

    private void Line(string name, string suffix, string labels, double value)
    {
        text.Append(name).Append(suffix);
        if (labels.Length > 0)
            text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
