using System.Buffers;
using System.Text.Json.Serialization;

namespace Hadal.Data.Privacy;

/// <summary>Which personal data <see cref="PrivacyMask"/> replaces and with what.</summary>
public sealed record PrivacyOptions
{
    private static readonly SearchValues<char> _ofPersonalData = SearchValues.Create("@:+-0123456789");

    /// <summary>The defaults: mail and IP addresses, phone numbers, secret keys and account numbers.</summary>
    public static PrivacyOptions Default { get; } = new();

    /// <summary>Masks mail addresses.</summary>
    [JsonPropertyName("emails")]
    public bool Emails { get; init; } = true;

    /// <summary>Masks public IP addresses of versions 4 and 6.</summary>
    [JsonPropertyName("ip_addresses")]
    public bool IpAddresses { get; init; } = true;

    /// <summary>Masks IP addresses that name no one as well: loopback, private networks, link-local, multicast, those reserved for documentation.</summary>
    [JsonPropertyName("private_ip_addresses")]
    public bool PrivateIpAddresses { get; init; }

    /// <summary>Masks phone numbers: international ones, and national ones in their usual forms.</summary>
    [JsonPropertyName("phone_numbers")]
    public bool PhoneNumbers { get; init; } = true;

    /// <summary>Masks secret keys that show themselves: access tokens of well-known services, JSON web tokens, private keys in PEM.</summary>
    [JsonPropertyName("keys")]
    public bool Keys { get; init; } = true;

    /// <summary>Masks international bank account numbers whose check digits are right.</summary>
    [JsonPropertyName("account_numbers")]
    public bool AccountNumbers { get; init; } = true;

    /// <summary>Masks card numbers whose check digit is right. One in ten other numbers of that length is taken for one, therefore not by default.</summary>
    [JsonPropertyName("card_numbers")]
    public bool CardNumbers { get; init; }

    /// <summary>What stands for a mail address.</summary>
    [JsonPropertyName("email_token")]
    public string EmailToken { get; init; } = "<EMAIL>";

    /// <summary>What stands for an IP address.</summary>
    [JsonPropertyName("ip_token")]
    public string IpToken { get; init; } = "<IP>";

    /// <summary>What stands for a phone number.</summary>
    [JsonPropertyName("phone_token")]
    public string PhoneToken { get; init; } = "<PHONE>";

    /// <summary>What stands for a secret key.</summary>
    [JsonPropertyName("key_token")]
    public string KeyToken { get; init; } = "<KEY>";

    /// <summary>What stands for an account number.</summary>
    [JsonPropertyName("account_token")]
    public string AccountToken { get; init; } = "<ACCOUNT>";

    /// <summary>What stands for a card number.</summary>
    [JsonPropertyName("card_token")]
    public string CardToken { get; init; } = "<CARD>";

    /// <summary>What is wrong with it, as a sentence; null if nothing.</summary>
    internal string? Problem()
    {
        const int longestToken = 64;
        foreach (string token in (ReadOnlySpan<string>)[EmailToken, IpToken, PhoneToken, KeyToken, AccountToken, CardToken])
        {
            if (token is null || token.Length > longestToken || token.AsSpan().ContainsAny(_ofPersonalData))
                return $"A token that stands for personal data has at most {longestToken} characters, and no digits and none of \"@:+-\", which could be taken for personal data in turn.";
        }

        return null;
    }

    internal string TokenOf(PrivateKind kind) => kind switch
    {
        PrivateKind.Email => EmailToken,
        PrivateKind.Ip => IpToken,
        PrivateKind.Phone => PhoneToken,
        PrivateKind.Key => KeyToken,
        PrivateKind.Account => AccountToken,
        _ => CardToken,
    };
}
