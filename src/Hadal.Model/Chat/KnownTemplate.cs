namespace Hadal.Model.Chat;

/// <summary>A template with code of its own, and the published texts that it renders as Jinja would.</summary>
/// <param name="Name">What users call it.</param>
/// <param name="TextHashes">SHA-256 of the texts in UTF-8, without white space at either end.</param>
/// <param name="Create">Makes the template for a begin-of-sentence token.</param>
internal sealed record KnownTemplate(string Name, IReadOnlyList<string> TextHashes, Func<string, ChatTemplate> Create)
{
    internal const string V3 = "deepseek-v3", V30324 = "deepseek-v3-0324", R1 = "deepseek-r1", R10528 = "deepseek-r1-0528", V31 = "deepseek-v3.1";

    internal static IReadOnlyList<KnownTemplate> All { get; } =
    [
        new(V3, ["3A3036EEB96CA0E48565FC1F19B4D7D3FA17ADA32BB1B3D5ED539AE74CF22923"], static bos => new DeepSeekV3ChatTemplate(V3, bos, thinks: false)),
        new(V30324, [], static bos => new DeepSeekV30324ChatTemplate(V30324, bos, thinks: false)),
        new(R1, [], static bos => new DeepSeekV3ChatTemplate(R1, bos, thinks: true)),
        new(R10528, [], static bos => new DeepSeekV30324ChatTemplate(R10528, bos, thinks: true)),
        new(V31, [], static bos => new DeepSeekV31ChatTemplate(V31, bos)),
    ];
}
