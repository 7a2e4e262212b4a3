using System.Text;
using System.Xml;

namespace Hadal.Data.Sources.Documentation;

/// <summary>One XML documentation file, turned into one readable text per type.</summary>
internal static class DocumentationFile
{
    // The largest one shipped with .NET 10 is 8 million characters long.
    private const long MaximumCharacters = 256L << 20;

    /// <summary>Reads a whole file; nothing is returned of a damaged one.</summary>
    /// <returns>Type name and text, in the order of the file. Types and members that say nothing in words are left out.</returns>
    /// <exception cref="XmlException">The file is not a well-formed documentation file.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IReadOnlyList<Document> Read(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Read(stream);
    }

    /// <inheritdoc cref="Read(string)"/>
    public static IReadOnlyList<Document> Read(Stream stream)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
            MaxCharactersInDocument = MaximumCharacters,
        };
        var types = new Dictionary<string, TypeText>(StringComparer.Ordinal);
        var order = new List<string>();
        using var reader = XmlReader.Create(stream, settings);
        reader.MoveToContent();
        if (reader.Name != "doc") throw new XmlException($"The root element is <{reader.Name}>, not <doc>.");
        while (reader.Read())
        {
            if (reader.NodeType != XmlNodeType.Element || reader.Name != "member") continue;
            var member = MemberName.Parse(reader.GetAttribute("name"));
            DocumentedMember content = DocumentedMember.Read(reader);
            if (member is null || !member.IsOrdinary) continue;
            if (!types.TryGetValue(member.Type, out TypeText? type))
            {
                type = new TypeText();
                types.Add(member.Type, type);
                order.Add(member.Type);
            }

            type.Add(member, content);
        }

        var documents = new List<Document>();
        foreach (string name in order)
        {
            if (types[name].ToString() is { Length: > 0 } text) documents.Add(new Document(name, text));
        }

        return documents;
    }

    /// <summary>The text of one type as its members come in.</summary>
    private sealed class TypeText
    {
        private readonly StringBuilder _members = new();
        private IReadOnlyList<string> _typeParameters = [];
        private string? _head;

        public void Add(MemberName name, DocumentedMember content)
        {
            if (content.Summary.Length == 0) return;
            if (name.Kind == 'T')
            {
                _typeParameters = content.TypeParameterNames;
                _head = MemberName.ReadableDeclaration(name.Type, _typeParameters) + "\n\n" + content.Body();
                return;
            }

            _members.Append("\n\n")
                .Append(name.Readable(_typeParameters, content.TypeParameterNames, content.ParameterNames))
                .Append('\n')
                .Append(content.Body());
        }

        // Members whose type has no words of its own are mostly generated code (resource strings, regular expressions).
        public override string ToString() => _head is null ? "" : _head + _members;
    }
}
