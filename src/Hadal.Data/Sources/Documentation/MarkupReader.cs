using System.Text;
using System.Xml;

namespace Hadal.Data.Sources.Documentation;

/// <summary>Flattens the markup inside a documentation element (C# specification, annex D.3) into <see cref="Prose"/>.</summary>
internal static class MarkupReader
{
    // A document nested deeper than this was not written by a person.
    private const int MaximumDepth = 64;

    /// <summary>Reads the element that the reader stands on and leaves the reader on its end tag (or on it, if it is empty).</summary>
    /// <exception cref="XmlException">The markup is not well formed or is nested absurdly deep.</exception>
    public static string ReadText(XmlReader reader)
    {
        var prose = new Prose();
        ReadContent(reader, prose);
        return prose.ToString();
    }

    private static void ReadContent(XmlReader reader, Prose prose)
    {
        if (reader.IsEmptyElement) return;
        if (reader.Depth > MaximumDepth) throw new XmlException($"Elements are nested deeper than {MaximumDepth}.");
        int depth = reader.Depth;
        while (reader.Read() && !(reader.NodeType == XmlNodeType.EndElement && reader.Depth == depth))
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace:
                    prose.Add(reader.Value);
                    break;
                case XmlNodeType.Element:
                    ReadElement(reader, prose);
                    break;
            }
        }
    }

    private static void ReadElement(XmlReader reader, Prose prose)
    {
        switch (reader.Name)
        {
            case "see" or "seealso" or "xref":
                ReadReference(reader, prose);
                break;
            case "paramref" or "typeparamref":
                prose.AddWhole(reader.GetAttribute("name") ?? "");
                Skip(reader);
                break;
            case "para" or "p" or "ul" or "ol" or "list" or "note" or "blockquote":
                prose.Break(2);
                ReadContent(reader, prose);
                prose.Break(2);
                break;
            case "listheader":
                Skip(reader);
                break;
            case "item" or "li":
                prose.Break(1);
                prose.AddWhole("-");
                prose.Add(" ");
                ReadContent(reader, prose);
                prose.Break(1);
                break;
            case "term":
                ReadTerm(reader, prose);
                break;
            case "br":
                prose.Break(1);
                ReadContent(reader, prose);
                break;
            case "sup":
                prose.AddWhole("^");
                ReadContent(reader, prose);
                break;
            case "code":
                string code = PlainText(reader);
                if (code.Trim().Contains('\n', StringComparison.Ordinal)) prose.AddCode(code);
                else prose.Add(code);
                break;
            default:
                ReadContent(reader, prose);
                break;
        }
    }

    // A term stands before its description: "- term: description".
    private static void ReadTerm(XmlReader reader, Prose prose)
    {
        var term = new Prose();
        ReadContent(reader, term);
        if (term.IsEmpty) return;
        prose.Add(term.ToString());
        prose.AddWhole(":");
        prose.Add(" ");
    }

    private static void ReadReference(XmlReader reader, Prose prose)
    {
        string? target = reader.GetAttribute("cref") ?? reader.GetAttribute("uid");
        string fallback = target is not null
            ? MemberName.ReadableReference(target)
            : reader.GetAttribute("langword") ?? reader.GetAttribute("href") ?? "";
        var inner = new Prose();
        ReadContent(reader, inner);
        prose.AddWhole(inner.IsEmpty ? fallback : inner.ToString());
    }

    private static string PlainText(XmlReader reader)
    {
        if (reader.IsEmptyElement) return "";
        var text = new StringBuilder();
        int depth = reader.Depth;
        while (reader.Read() && !(reader.NodeType == XmlNodeType.EndElement && reader.Depth == depth))
        {
            if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace) text.Append(reader.Value);
        }

        return text.ToString();
    }

    private static void Skip(XmlReader reader)
    {
        if (!reader.IsEmptyElement) PlainText(reader);
    }
}
