namespace Hadal.Model.Chat;

/// <summary>A template with code of its own, and the published texts that it renders as Jinja would.</summary>
/// <param name="Name">What users call it.</param>
/// <param name="TextHashes">SHA-256 of the texts in UTF-8, without white space at either end.</param>
/// <param name="Create">Makes the template for a begin-of-sentence token.</param>
internal sealed record KnownTemplate(string Name, IReadOnlyList<string> TextHashes, Func<string, ChatTemplate> Create)
{
    internal const string V3 = "deepseek-v3", V30324 = "deepseek-v3-0324", R1 = "deepseek-r1", R10528 = "deepseek-r1-0528", V31 = "deepseek-v3.1";

    // Of the later templates two texts are about, with line breaks inside of quotes and with escapes for them; which is a matter of how often JSON was escaped.
    internal static IReadOnlyList<KnownTemplate> All { get; } =
    [
        new(
            V3,
            ["3A3036EEB96CA0E48565FC1F19B4D7D3FA17ADA32BB1B3D5ED539AE74CF22923", "3564BE42D3171962FC65E6A1187F991CB23B4114C15159C524C701BE44DA3964"],
            static bos => new DeepSeekV3ChatTemplate(V3, bos, thinks: false)),
        new(
            V30324,
            ["86C9EB894F13402F6A30AD06BA7B05D436DB0C7E1CC2BA84791A957FB4F6210D", "22E97BA043DACF9DF1F071A9DE9D2BB6B0757491F16E96E810834B86E1641286"],
            static bos => new DeepSeekV30324ChatTemplate(V30324, bos, thinks: false)),
        new(
            R1,
            ["563B1CE7D61D50A9B4C7439A912A1116F095B712DF5B5E4D3E1116049874EB64", "5B7A90C17FAA4288745D78EC7097E9A571A3BB7CDDC0AB0282D552BD63C7FB51"],
            static bos => new DeepSeekV3ChatTemplate(R1, bos, thinks: true)),
        new(
            R10528,
            [
                "4CD626E475C477F888BD441112E2A84D5F1948B7BA7D228E5977DF2FD7D54B2D", "B09729D9FC8B07A913E8CBBA62BB3AC3618943B516D9FABCCDAECC1BE0825241",
                "F04E2C07C639EA5FB4D3CE97D23B64236BF28B2A7B28A280E41176ABF393F5FB", "53671BAC29BCB3E1F95F51B8C77D85A6011B66DC38BD23DCE64EEF04384A976B",
            ],
            static bos => new DeepSeekV30324ChatTemplate(R10528, bos, thinks: true)),
        new(
            V31,
            ["37CABD20B2B62E3EFE7FA55533EF0BC6E1EAE63B60CF77265B2A09632AA1358D", "45690185067EA25C073BFF2D3E425A45EE2564D2BBF6CDF7D885E139D460B8E0"],
            static bos => new DeepSeekV31ChatTemplate(V31, bos)),
    ];
}
