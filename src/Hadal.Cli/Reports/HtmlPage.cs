using System.Security.Cryptography;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace Hadal.Cli.Reports;

/// <summary>
/// A self-contained page from a tree of elements: text and attributes are encoded by construction, and the result is well formed as HTML and as XML.
/// </summary>
internal static class HtmlPage
{
    private static readonly HashSet<string> _voidElements = new(StringComparer.Ordinal) { "meta", "br", "hr", "img", "link", "input", "col", "wbr" };

    /// <summary>Writes a page.</summary>
    /// <param name="output">Gets UTF-8 without a byte order mark.</param>
    /// <param name="title">Title of the window.</param>
    /// <param name="style">The style sheet; without <c>&lt;</c>, <c>&gt;</c> and <c>&amp;</c>, which HTML and XML read differently there.</param>
    /// <param name="body">What is on the page.</param>
    public static void Write(Stream output, string title, string style, params object[] body) => Write(output, title, style, null, null, body);

    /// <summary>Writes a page with a script.</summary>
    /// <param name="output">Gets UTF-8 without a byte order mark.</param>
    /// <param name="title">Title of the window.</param>
    /// <param name="style">The style sheet; without <c>&lt;</c>, <c>&gt;</c> and <c>&amp;</c>, which HTML and XML read differently there.</param>
    /// <param name="data">JSON that the script finds in the element <c>timeline</c>; its serializer has escaped <c>&lt;</c>, <c>&gt;</c> and <c>&amp;</c>.</param>
    /// <param name="script">The script, without <c>]]&gt;</c> and the end tag of a script. It runs when the page is there, and it alone may.</param>
    /// <param name="body">What is on the page.</param>
    public static void WriteInteractive(Stream output, string title, string style, string data, string script, params object[] body) => Write(output, title, style, data, script, body);

    private static void Write(Stream output, string title, string style, string? data, string? script, object[] body)
    {
        // Comments around the marks of a CDATA section: HTML reads the script as it stands, XML as well, and the browser checks it by its sum.
        XNode[] code = script is null ? [] : [new XText("//"), new XCData($"\n{script}\n//")];
        string allowed = script is null ? "" : $" script-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes($"//<![CDATA[\n{script}\n//]]>")))}';";
        var html = new XElement("html",
            new XAttribute("lang", "en"),
            new XElement("head",
                new XElement("meta", new XAttribute("charset", "utf-8")),
                new XElement("meta", new XAttribute("name", "viewport"), new XAttribute("content", "width=device-width, initial-scale=1")),
                new XElement("meta", new XAttribute("name", "color-scheme"), new XAttribute("content", "light dark")),
                // The page asks for nothing; a browser that is told so asks for nothing whatever got into it.
                new XElement("meta",
                    new XAttribute("http-equiv", "Content-Security-Policy"),
                    new XAttribute("content", $"default-src 'none';{allowed} style-src 'unsafe-inline'; img-src data:")),
                new XElement("title", title),
                new XElement("style", style)),
            new XElement("body",
                body,
                data is null ? null : new XElement("script", new XAttribute("type", "application/json"), new XAttribute("id", "timeline"), data),
                script is null ? null : new XElement("script", code)));
        Prepare(html, false);

        output.Write("<!DOCTYPE html>\n"u8);
        var settings = new XmlWriterSettings { Encoding = new UTF8Encoding(false), OmitXmlDeclaration = true, NewLineHandling = NewLineHandling.None };
        using (var writer = XmlWriter.Create(output, settings)) html.WriteTo(writer);
        output.Write("\n"u8);
    }

    /// <summary>An element with a class.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="style">Its class.</param>
    /// <param name="content">What is in it.</param>
    /// <returns>The element.</returns>
    public static XElement Element(string name, string style, params object?[] content) => new(name, new XAttribute("class", style), content);

    private static void Prepare(XElement element, bool foreign)
    {
        foreign |= element.Name.LocalName == "svg";
        foreach (var attribute in element.Attributes()) attribute.Value = Printable(attribute.Value);
        // Only these may close themselves in HTML.
        if (!foreign && !_voidElements.Contains(element.Name.LocalName) && element.IsEmpty) element.Value = "";
        foreach (var node in element.Nodes())
        {
            if (node is XElement child) Prepare(child, foreign);
            else if (node is XText text) text.Value = Printable(text.Value);
        }
    }

    /// <summary>Replaces what a page cannot hold: control characters by their pictures, halves of characters by the replacement character.</summary>
    private static string Printable(string text)
    {
        StringBuilder? changed = null;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            bool pair = char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
            string? replacement = c switch
            {
                '\t' or '\n' => null,
                '\r' => i + 1 < text.Length && text[i + 1] == '\n' ? "" : "\n",
                < ' ' => ((char)(0x2400 + c)).ToString(),
                '\u007f' => "\u2421",
                >= '\u0080' and <= '\u009f' or '\ufffe' or '\uffff' => "\ufffd",
                _ when char.IsSurrogate(c) && !pair => "\ufffd",
                _ => null,
            };
            if (replacement is not null) changed ??= new StringBuilder(text, 0, i, text.Length + 16);
            changed?.Append(replacement ?? (pair ? text.Substring(i, 2) : c.ToString()));
            if (pair) i++;
        }

        return changed?.ToString() ?? text;
    }
}
