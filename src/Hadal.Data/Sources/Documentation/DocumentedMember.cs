using System.Text;
using System.Xml;

namespace Hadal.Data.Sources.Documentation;

/// <summary>The sections of one member's documentation, each as plain text.</summary>
internal sealed class DocumentedMember
{
    private readonly List<(string Name, string Text)> _typeParameters = [];
    private readonly List<(string Name, string Text)> _parameters = [];
    private readonly List<(string Name, string Text)> _exceptions = [];
    private string _returns = "";
    private string _value = "";
    private string _remarks = "";

    public string Summary { get; private set; } = "";

    public IReadOnlyList<string> TypeParameterNames => [.. _typeParameters.Select(p => p.Name)];

    public IReadOnlyList<string> ParameterNames => [.. _parameters.Select(p => p.Name)];

    /// <summary>Reads the <c>member</c> element that the reader stands on, up to its end.</summary>
    public static DocumentedMember Read(XmlReader reader)
    {
        var member = new DocumentedMember();
        if (reader.IsEmptyElement) return member;
        int depth = reader.Depth;
        while (reader.Read() && !(reader.NodeType == XmlNodeType.EndElement && reader.Depth == depth))
        {
            if (reader.NodeType == XmlNodeType.Element) member.ReadSection(reader);
        }

        return member;
    }

    /// <summary>Summary, remarks, parameters, result and exceptions: one line each, paragraphs inside them kept.</summary>
    public string Body()
    {
        var text = new StringBuilder(Summary);
        if (_remarks.Length > 0) text.Append("\n\n").Append(_remarks);
        foreach ((string name, string words) in _typeParameters.Concat(_parameters)) Line(text, name + ": ", words);
        Line(text, "Value: ", _value);
        Line(text, "Returns: ", _returns);
        foreach ((string name, string words) in _exceptions) Line(text, $"Throws {name}: ", words);
        return text.ToString();
    }

    private static void Line(StringBuilder text, string label, string words)
    {
        if (words.Length == 0) return;
        bool list = words.StartsWith("- ", StringComparison.Ordinal);
        text.Append('\n').Append(list ? label.TrimEnd() + "\n" : label).Append(words);
    }

    private void ReadSection(XmlReader reader)
    {
        string section = reader.Name;
        string name = reader.GetAttribute("name") ?? "";
        string reference = reader.GetAttribute("cref") ?? "";
        string text = MarkupReader.ReadText(reader);
        switch (section)
        {
            case "summary":
                Summary = text;
                break;
            case "remarks":
                _remarks = text;
                break;
            case "returns":
                _returns = text;
                break;
            case "value":
                _value = text;
                break;
            case "param":
                _parameters.Add((name, text));
                break;
            case "typeparam":
                _typeParameters.Add((name, text));
                break;
            case "exception":
                _exceptions.Add((MemberName.ReadableReference(reference), text));
                break;
        }
    }
}
