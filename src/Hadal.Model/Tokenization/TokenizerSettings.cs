namespace Hadal.Model.Tokenization;

/// <summary>
/// What Hadal uses of a <c>tokenizer_config.json</c>: the names of the control tokens, whether a begin or end of sentence is added by default, and the
/// chat template. The tokenizer class named there is ignored on purpose: <c>tokenizer.json</c> says everything about cutting and merging.
/// </summary>
public sealed record TokenizerSettings
{
    /// <summary>The text of the begin-of-sentence token, or null.</summary>
    public string? BosToken { get; init; }

    /// <summary>The text of the end-of-sentence token, or null.</summary>
    public string? EosToken { get; init; }

    /// <summary>The text of the padding token, or null.</summary>
    public string? PadToken { get; init; }

    /// <summary>
    /// Whether the model's publisher wants a begin-of-sentence token before every text (<c>add_bos_token</c>). Encoding adds it only when asked to.
    /// </summary>
    public bool AddBosToken { get; init; }

    /// <summary>
    /// Whether the model's publisher wants an end-of-sentence token after every text (<c>add_eos_token</c>). Encoding adds it only when asked to.
    /// </summary>
    public bool AddEosToken { get; init; }

    /// <summary>The chat template in Jinja as published (of several the one named "default"), or null for a base model.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>Reads a <c>tokenizer_config.json</c>.</summary>
    /// <param name="utf8">The content of the file; it is copied.</param>
    /// <param name="nameForErrors">What errors call the file.</param>
    /// <exception cref="TokenizerException">The content is not JSON, or a field in use has the wrong type.</exception>
    public static TokenizerSettings Parse(ReadOnlySpan<byte> utf8, string nameForErrors)
    {
        ArgumentNullException.ThrowIfNull(nameForErrors);
        return Read(utf8.ToArray(), nameForErrors);
    }

    internal static TokenizerSettings Read(ReadOnlyMemory<byte> utf8, string path)
        => JsonField.Read(utf8, path, static root => new TokenizerSettings
        {
            BosToken = TokenText(root.Member("bos_token")),
            EosToken = TokenText(root.Member("eos_token")),
            PadToken = TokenText(root.Member("pad_token")),
            AddBosToken = root.Member("add_bos_token").BoolOr(false),
            AddEosToken = root.Member("add_eos_token").BoolOr(false),
            ChatTemplate = Template(root.Member("chat_template")),
        });

    /// <summary>A token is written as its text or as an object with the text in it.</summary>
    private static string? TokenText(JsonField field)
    {
        if (field.IsNull) return null;
        return field.Element.ValueKind == System.Text.Json.JsonValueKind.Object ? field.Member("content").RequireString() : field.RequireString();
    }

    private static string? Template(JsonField field)
    {
        if (field.IsNull) return null;
        if (field.Element.ValueKind != System.Text.Json.JsonValueKind.Array) return field.RequireString();
        foreach (JsonField named in StepReader.Elements(field))
            if (named.Member("name").RequireString() == "default") return named.Member("template").RequireString();
        return null;
    }
}
