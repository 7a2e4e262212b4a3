namespace Hadal.Data.Privacy;

/// <summary>How many pieces of personal data were masked, by kind.</summary>
/// <param name="Emails">Mail addresses.</param>
/// <param name="IpAddresses">IP addresses.</param>
/// <param name="PhoneNumbers">Phone numbers.</param>
/// <param name="Keys">Secret keys.</param>
/// <param name="AccountNumbers">Bank account numbers.</param>
/// <param name="CardNumbers">Card numbers.</param>
public readonly record struct PrivacyCounts(int Emails, int IpAddresses, int PhoneNumbers, int Keys, int AccountNumbers, int CardNumbers)
{
    /// <summary>All together.</summary>
    public int Total => Emails + IpAddresses + PhoneNumbers + Keys + AccountNumbers + CardNumbers;

    /// <summary>Each count that is not 0, with a name for a report.</summary>
    internal IReadOnlyList<(string What, int Count)> Named => [.. (((string What, int Count)[])
    [
        ("mail_addresses", Emails), ("ip_addresses", IpAddresses), ("phone_numbers", PhoneNumbers), ("keys", Keys), ("account_numbers", AccountNumbers), ("card_numbers", CardNumbers),
    ]).Where(c => c.Count > 0)];

    internal PrivacyCounts With(PrivateKind kind) => kind switch
    {
        PrivateKind.Email => this with { Emails = Emails + 1 },
        PrivateKind.Ip => this with { IpAddresses = IpAddresses + 1 },
        PrivateKind.Phone => this with { PhoneNumbers = PhoneNumbers + 1 },
        PrivateKind.Key => this with { Keys = Keys + 1 },
        PrivateKind.Account => this with { AccountNumbers = AccountNumbers + 1 },
        _ => this with { CardNumbers = CardNumbers + 1 },
    };
}
