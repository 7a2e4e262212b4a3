using System.Text;

namespace Hadal.Data.Sources.Records;

/// <summary>Which fields of a record are wanted, and what stands for those that are missing.</summary>
internal sealed class RecordFields
{
    private readonly InputOptions _options;
    private readonly InputFile _file;
    private readonly string _source;
    private readonly string? _language;

    public RecordFields(InputFile file, InputOptions options)
    {
        _file = file;
        _options = options;
        _source = options.Source ?? file.Id;
        _language = options.Language ?? (file.Kind == InputKind.SourceCode ? Listing.InputEndings.LanguageOf(file.Id) : null);
        Text = Encoding.UTF8.GetBytes(options.TextField);
        Nested = options.ReadsNestedStrings ? new NestedStrings(options.TextField) : null;
        Id = Encoding.UTF8.GetBytes(options.IdField);
        Source = Encoding.UTF8.GetBytes(options.SourceField);
        Languages = [.. options.LanguageFields.Select(Encoding.UTF8.GetBytes)];
    }

    public byte[] Text { get; }

    /// <summary>Finds the strings below the text field where it need not be a string itself; null where it must.</summary>
    public NestedStrings? Nested { get; }

    public byte[] Id { get; }

    public byte[] Source { get; }

    public IReadOnlyList<byte[]> Languages { get; }

    /// <summary>The document of a record; what is null is filled in.</summary>
    public SourceDocument Document(string text, string? id, string? source, string? language, string place) =>
        new(string.IsNullOrEmpty(id) ? place : id, text, source ?? _source, language ?? _language, place);

    public string LinePlace(long line) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{_file.Id}:{line}");

    public string RecordPlace(long record) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{_file.Id}#{record}");

    /// <summary>What is wrong with a text of this many bytes of UTF-8; null if nothing.</summary>
    public string? TooLong(long bytes) => bytes <= _options.MaximumDocumentBytes
        ? null
        : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"the text is longer than {_options.MaximumDocumentBytes} bytes");
}
