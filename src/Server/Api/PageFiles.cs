using System.Reflection;

namespace RaftFast.Server.Api;

/// <summary>The status page: a few files in the binary. The browser asks this node, and nothing else.</summary>
internal static class PageFiles
{
    /// <summary>Allows scripts, styles and figures from this node alone; nothing inline, nothing framed.</summary>
    public const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <returns>Name and type of the file at a path; null if there is none.</returns>
    public static (string Name, string ContentType)? Find(string path) => path switch
    {
        "/" => ("index.html", "text/html; charset=utf-8"),
        "/page.js" => ("page.js", "text/javascript; charset=utf-8"),
        "/page.css" => ("page.css", "text/css; charset=utf-8"),
        "/icon.svg" => ("icon.svg", "image/svg+xml"),
        "/uplot.js" => ("uPlot.iife.min.js", "text/javascript; charset=utf-8"),
        "/uplot.css" => ("uPlot.min.css", "text/css; charset=utf-8"),
        _ => null,
    };

    public static async Task SendAsync(ApiExchange exchange, string name, string contentType)
    {
        using Stream file = Assembly.GetExecutingAssembly().GetManifestResourceStream($"page/{name}")!;
        exchange.SetHeader("Content-Security-Policy", Policy);
        // The browser keeps no copy: after an upgrade of the program it gets the new file.
        await exchange.BeginAsync(200, contentType, file.Length);
        if (exchange.Method != "HEAD")
            await file.CopyToAsync(exchange.Body, exchange.Aborted);
        await exchange.CompleteAsync();
    }
}
