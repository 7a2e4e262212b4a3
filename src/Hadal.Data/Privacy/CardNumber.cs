namespace Hadal.Data.Privacy;

/// <summary>Numbers of payment cards (ISO/IEC 7812): 13 to 19 digits whose sum by Luhn's rule is a multiple of ten, written in one or in groups of four.</summary>
internal static class CardNumber
{
    private const int Fewest = 13, Most = 19;

    internal static int End(ReadOnlySpan<char> text, int start)
    {
        if (start > 0 && text[start - 1] is '.' or ',' or '-' or '+') return -1;
        if (text[start] is not (>= '2' and <= '6')) return -1;
        Span<char> digits = stackalloc char[Most];
        int count = 0, position = start, group = 0;
        char separator = '\0';
        for (; position < text.Length; position++)
        {
            char c = text[position];
            if (char.IsAsciiDigit(c))
            {
                if (count == Most) return -1;
                digits[count++] = c;
                group++;
            }
            else if (c is ' ' or '-' && (separator == '\0' || separator == c) && group == 4 && position + 1 < text.Length && char.IsAsciiDigit(text[position + 1]))
            {
                separator = c;
                group = 0;
            }
            else
            {
                break;
            }
        }

        if (count < Fewest || (position < text.Length && (char.IsAsciiLetter(text[position]) || text[position] == '_'))) return -1;
        return IsValid(digits[..count]) ? position : -1;
    }

    private static bool IsValid(ReadOnlySpan<char> digits)
    {
        int sum = 0;
        for (int i = 0; i < digits.Length; i++)
        {
            int value = digits[^(i + 1)] - '0';
            if (i % 2 == 1) value = value > 4 ? 2 * value - 9 : 2 * value;
            sum += value;
        }

        return sum % 10 == 0;
    }
}
