namespace Hadal.Data.Privacy;

/// <summary>Kinds of personal data; where two are found in one place, the first of them.</summary>
internal enum PrivateKind
{
    Key,
    Email,
    Ip,
    Account,
    Card,
    Phone,
}
