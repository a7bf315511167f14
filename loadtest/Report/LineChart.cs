using System.Globalization;
using System.Net;
using System.Text;

namespace RaftFast.LoadTest.Report;

/// <summary>One line of a chart.</summary>
/// <param name="Color">Color in CSS notation.</param>
internal sealed record Series(string Name, string Color, IReadOnlyList<(double X, double Y)> Points);

/// <summary>
/// Lines over two axes, with marks for events at some x, as one inline SVG. The SVG has no script and fetches nothing.
/// </summary>
internal sealed class LineChart(string title, Axis across, Axis up, IReadOnlyList<Series> lines)
{
    private const int Width = 860;
    private const int Height = 300;
    private const int Left = 80;
    private const int Right = 30;
    private const int Top = 40;
    private const int Bottom = 45;

    public IReadOnlyList<(double X, string Text)> Events { get; init; } = [];

    public string Svg()
    {
        StringBuilder svg = new();
        Add(svg, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Escape(title)}\">");
        Add(svg, $"<text class=\"title\" x=\"{Left}\" y=\"16\">{Escape(title)}</text>");
        AddAxes(svg);
        foreach ((double x, string text) in Events)
        {
            Add(svg, $"<line class=\"event\" {Vertical(x)}>");
            Add(svg, $"<title>{Escape(text)}</title></line>");
        }
        int legend = Left;
        foreach (Series line in lines)
        {
            IEnumerable<string> points = line.Points.Select(
                point => string.Create(CultureInfo.InvariantCulture, $"{X(point.X):F1},{Y(point.Y):F1}"));
            string joined = string.Join(' ', points);
            Add(svg, $"<polyline fill=\"none\" stroke=\"{line.Color}\" stroke-width=\"1.5\" points=\"{joined}\"/>");
            Add(svg, $"<rect x=\"{legend}\" y=\"24\" width=\"10\" height=\"10\" fill=\"{line.Color}\"/>");
            Add(svg, $"<text x=\"{legend + 15}\" y=\"33\">{Escape(line.Name)}</text>");
            legend += 40 + (line.Name.Length * 7);
        }
        svg.AppendLine("</svg>");
        return svg.ToString();
    }

    private void AddAxes(StringBuilder svg)
    {
        foreach (double mark in up.Marks())
        {
            double y = Y(mark);
            string text = Escape(up.Text(mark));
            Add(svg, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y:F1}\" y2=\"{y:F1}\"/>");
            Add(svg, $"<text text-anchor=\"end\" x=\"{Left - 6}\" y=\"{y + 4:F1}\">{text}</text>");
        }
        foreach (double mark in across.Marks())
        {
            string text = Escape(across.Text(mark));
            Add(svg, $"<line class=\"grid\" {Vertical(mark)}/>");
            Add(svg, $"<text text-anchor=\"middle\" x=\"{X(mark):F1}\" y=\"{Height - Bottom + 16}\">{text}</text>");
        }
        Add(svg, $"<text text-anchor=\"end\" x=\"{Width - Right}\" y=\"{Height - 8}\">{Escape(across.Title)}</text>");
        Add(svg, $"<text text-anchor=\"end\" x=\"{Width - Right}\" y=\"16\">{Escape(up.Title)}</text>");
    }

    private double X(double value) => Left + (across.Place(value) * (Width - Left - Right));

    private double Y(double value) => Height - Bottom - (up.Place(value) * (Height - Top - Bottom));

    /// <summary>End points of a vertical line over the whole chart.</summary>
    private string Vertical(double x) => string.Create(
        CultureInfo.InvariantCulture, $"x1=\"{X(x):F1}\" x2=\"{X(x):F1}\" y1=\"{Top}\" y2=\"{Height - Bottom}\"");

    private static void Add(StringBuilder svg, FormattableString element) =>
        svg.AppendLine(element.ToString(CultureInfo.InvariantCulture));

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
