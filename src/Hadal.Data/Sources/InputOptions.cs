namespace Hadal.Data.Sources;

/// <summary>What is read of inputs, under which names, and within which bounds.</summary>
public sealed record InputOptions
{
    /// <summary>The field or column that holds the text.</summary>
    public string TextField { get; init; } = "text";

    /// <summary>The field or column that holds the document's own name; documents without one are named by their place.</summary>
    public string IdField { get; init; } = "id";

    /// <summary>The field or column that says where a document comes from.</summary>
    public string SourceField { get; init; } = "source";

    /// <summary>The fields or columns that may hold the language; the first that a record has counts.</summary>
    public IReadOnlyList<string> LanguageFields { get; init; } = ["lang", "language"];

    /// <summary>The source of documents that name none; null for the file's own name.</summary>
    public string? Source { get; init; }

    /// <summary>The language of documents that name none; null for none (source files still have that of their ending).</summary>
    public string? Language { get; init; }

    /// <summary>The kinds that are looked for in folders; all by default. A file that is named itself is read whatever its kind.</summary>
    public IReadOnlyList<InputKind> Kinds { get; init; } = Enum.GetValues<InputKind>();

    /// <summary>Names of folders that are not entered, besides those that begin with a dot: what tools put beside sources.</summary>
    public IReadOnlyList<string> SkippedFolders { get; init; } = ["node_modules", "bin", "obj", "__pycache__"];

    /// <summary>The longest text of one document, in bytes of UTF-8; 64 MiB by default. A longer record is left out; a longer plain text is cut at a line end.</summary>
    public int MaximumDocumentBytes { get; init; } = 64 << 20;

    /// <summary>The longest line (JSON lines), value (JSON) or row (CSV), in bytes; 96 MiB by default. A longer one is passed over without being held.</summary>
    public int MaximumLineBytes { get; init; } = 96 << 20;

    /// <summary>
    /// The largest page of a Parquet column, unpacked, in bytes; 256 MiB by default. What follows a larger one in its row group is left out. About two pages of each wanted column are held at a time.
    /// </summary>
    public int MaximumPageBytes { get; init; } = 256 << 20;

    /// <summary>A packed file may unpack to so many bytes whatever its size; 100,000,000 by default.</summary>
    public long ExpansionAllowance { get; init; } = 100_000_000;

    /// <summary>Beyond <see cref="ExpansionAllowance"/>, a packed file may unpack to so many times the packed bytes read; 200 by default. Reading stops there.</summary>
    public int MaximumExpansion { get; init; } = 200;

    /// <summary>The largest window that a Zstandard frame may ask for, as a power of two; 27 (128 MiB) by default, the most that the format's own tools take unasked.</summary>
    public int MaximumZstandardWindowLog { get; init; } = 27;

    /// <summary>What becomes of JSON and CSV records with invalid text; left out by default. Plain text files are always repaired.</summary>
    public InvalidText InvalidText { get; init; } = InvalidText.Skip;

    /// <summary>
    /// The encoding of plain text and CSV that has no byte order mark and is not UTF-8, by its IANA name (<c>windows-1252</c>, <c>shift_jis</c>, <c>gb18030</c>); null
    /// to read it as UTF-8 with what is invalid replaced. It is never guessed: a wrong guess turns a file into nonsense without a word.
    /// </summary>
    public string? FallbackEncoding { get; init; }

    /// <summary>Whether the text field of a JSON record may be an array of strings or an object with one, as in evaluation sets; its strings are then a line each.</summary>
    internal bool ReadsNestedStrings { get; init; }

    /// <exception cref="DataException">A bound is not positive or too large, a field has no name, or the encoding is unknown.</exception>
    internal void Validate()
    {
        if (string.IsNullOrEmpty(TextField)) throw new DataException("The name of the text field is empty; name the field that holds the text.");
        if (MaximumDocumentBytes is < 1024 or > 1 << 30) throw new DataException("The largest document must be between 1 KiB and 1 GiB.");
        if (MaximumLineBytes is < 1024 or > 1 << 30) throw new DataException("The largest line must be between 1 KiB and 1 GiB.");
        if (MaximumPageBytes is < 1024 or > 1 << 30) throw new DataException("The largest page must be between 1 KiB and 1 GiB.");
        if (ExpansionAllowance < 0 || MaximumExpansion < 1) throw new DataException("The expansion of a packed file must be at least 1.");
        if (MaximumZstandardWindowLog is < 10 or > 30) throw new DataException("The largest Zstandard window must be between 2^10 and 2^30 bytes.");
        if (FallbackEncoding is { } name) Text.TextEncodings.Find(name);
    }
}
