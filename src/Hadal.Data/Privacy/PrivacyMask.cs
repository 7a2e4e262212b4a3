using System.Text;

namespace Hadal.Data.Privacy;

/// <summary>
/// Replaces personal data in texts by tokens: mail and IP addresses, phone numbers, secret keys, account and card numbers. Patterns are narrow: what could as well be a version,
/// a date, a product number or a constant stays. Hand-written scans, linear in the text; pure and thread-safe.
/// </summary>
public static class PrivacyMask
{
    // Where something is masked, what stood beside it may show itself as personal data in turn; masking again ends when nothing is found.
    private const int MaximumPasses = 8;

    /// <summary>Masks the personal data in a text. Masking the result again changes nothing.</summary>
    /// <param name="text">The text.</param>
    /// <param name="options">What to mask and by what.</param>
    public static MaskedText Mask(string text, PrivacyOptions options)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(options);
        PrivacyCounts counts = default;
        List<PrivateSpan> spans = [];
        for (int pass = 0; pass < MaximumPasses; pass++)
        {
            spans.Clear();
            if (options.Keys) KeyScan.Find(text, spans);
            if (options.Emails) EmailScan.Find(text, spans);
            if (options.IpAddresses) Ipv6Scan.Find(text, options.PrivateIpAddresses, spans);
            if (options.IpAddresses || options.PhoneNumbers || options.AccountNumbers || options.CardNumbers) NumberScan.Find(text, options, spans);
            if (spans.Count == 0) break;
            spans.Sort();
            text = Replace(text, spans, options, ref counts);
        }

        return new MaskedText(text, counts);
    }

    private static string Replace(string text, List<PrivateSpan> spans, PrivacyOptions options, ref PrivacyCounts counts)
    {
        StringBuilder result = new(text.Length);
        int copied = 0;
        foreach (PrivateSpan span in spans)
        {
            if (span.Start < copied) continue;
            result.Append(text, copied, span.Start - copied).Append(options.TokenOf(span.Kind));
            copied = span.End;
            counts = counts.With(span.Kind);
        }

        return result.Append(text, copied, text.Length - copied).ToString();
    }
}
