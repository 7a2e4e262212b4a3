namespace Hadal.Data.Privacy;

/// <summary>Goes from number to number of a text and asks what each may be: an IP address, an account number, a card number, a phone number.</summary>
internal static class NumberScan
{
    internal static void Find(ReadOnlySpan<char> text, PrivacyOptions options, List<PrivateSpan> spans)
    {
        for (int position = 0; position < text.Length;)
        {
            int found = text[position..].IndexOfAnyInRange('0', '9');
            if (found < 0) return;
            int start = position + found;
            position = Next(text, start, options, spans);
        }
    }

    /// <summary>Looks at the number that starts here; returns where to go on.</summary>
    private static int Next(ReadOnlySpan<char> text, int start, PrivacyOptions options, List<PrivateSpan> spans)
    {
        int digits = start;
        while (digits < text.Length && char.IsAsciiDigit(text[digits])) digits++;
        char before = start == 0 ? ' ' : text[start - 1];
        if (options.AccountNumbers && digits - start >= 2 && before is >= 'A' and <= 'Z' && AccountNumber.End(text, start - 2) is > 0 and int account)
        {
            spans.Add(new PrivateSpan(start - 2, account, PrivateKind.Account));
            return account;
        }

        // A number in a name, behind a decimal point, in an assignment or a formula.
        if (char.IsAsciiLetterOrDigit(before) || before == '_') return digits;
        if (options.IpAddresses && digits - start <= 3 && Ipv4.End(text, start, options.PrivateIpAddresses) is not 0 and int address)
        {
            if (address > 0) spans.Add(new PrivateSpan(start, address, PrivateKind.Ip));
            return Math.Abs(address);
        }

        if (options.CardNumbers && CardNumber.End(text, start) is > 0 and int card)
        {
            spans.Add(new PrivateSpan(start, card, PrivateKind.Card));
            return card;
        }

        if (options.PhoneNumbers)
        {
            PhoneNumber phone = PhoneNumber.At(text, start, options.PhoneToken);
            if (phone.End > 0) spans.Add(new PrivateSpan(phone.Start, phone.End, PrivateKind.Phone));
            return Math.Max(digits, phone.End);
        }

        return digits;
    }
}
