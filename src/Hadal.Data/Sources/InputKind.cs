namespace Hadal.Data.Sources;

/// <summary>How the bytes of an input, once unpacked, become documents.</summary>
public enum InputKind
{
    /// <summary>The whole file is one text (<c>.txt</c>, <c>.md</c>, …).</summary>
    Text,

    /// <summary>The whole file is one text in a programming language, which its ending names.</summary>
    SourceCode,

    /// <summary>One JSON object a line (<c>.jsonl</c>, <c>.ndjson</c>).</summary>
    JsonLines,

    /// <summary>An array of JSON objects, or objects one after another (<c>.json</c>).</summary>
    Json,

    /// <summary>Rows of values between commas (or semicolons, tabs, bars, as the first line shows), the first row naming the columns (<c>.csv</c>).</summary>
    Csv,

    /// <summary>The same with tabs (<c>.tsv</c>).</summary>
    Tsv,

    /// <summary>Rows in columns, in row groups (<c>.parquet</c>): the text is a column of strings; columns inside lists and structs are not read.</summary>
    Parquet,

    /// <summary>A page, of which the main text is taken (<c>.html</c>, <c>.htm</c>, <c>.xhtml</c>): menus, headers, footers, forms and blocks of links are left out, paragraphs are set apart by a blank line.</summary>
    Html,

    /// <summary>
    /// Answers of web servers as a crawler kept them (<c>.warc</c>, and <c>.wet</c>, which holds their texts): HTML, of which the main text is taken, and plain text, of answers with
    /// status 200; a document is named by its address. Whatever else an archive holds is passed over.
    /// </summary>
    Warc,
}
