using System.Buffers;

namespace Hadal.Data.Privacy;

/// <summary>
/// Phone numbers: groups of digits with single separators. A plus sign or a word for phone before them makes any such groups a number; without either, they must have a form that is
/// customary for phone numbers somewhere and for nothing else.
/// </summary>
/// <param name="Start">The first character.</param>
/// <param name="End">The character after it; 0 if there is no phone number.</param>
internal readonly record struct PhoneNumber(int Start, int End)
{
    private const int MostGroups = 8, FewestDigits = 7, MostDigits = 15, Context = 20;

    private static readonly SearchValues<string> _words = SearchValues.Create(
        ["phone", "tel:", "tel.", "tel ", "tél", "call ", "fax", "mobile", "cell:", "whatsapp", "móvil", "celular", "teléfono", "tlf", "handy", "telefon", "電話", "电话", "手机", "手機", "携帯", "传真", "☎", "📞"],
        StringComparison.OrdinalIgnoreCase);

    /// <summary>The phone number whose first digit stands here.</summary>
    /// <param name="text">The text.</param>
    /// <param name="start">Where the digit is.</param>
    /// <param name="token">What stands for phone numbers masked before; a word for phone in it says nothing about the numbers behind.</param>
    internal static PhoneNumber At(ReadOnlySpan<char> text, int start, ReadOnlySpan<char> token)
    {
        Span<int> lengths = stackalloc int[MostGroups];
        Span<int> ends = stackalloc int[MostGroups];
        Span<char> separators = stackalloc char[MostGroups];
        int first = start;
        bool bracket = first > 0 && text[first - 1] == '(';
        if (bracket) first--;
        bool plus = first > 0 && text[first - 1] == '+';
        if (plus) first--;
        if (first > 0 && IsJoined(text[first - 1], first > 1 ? text[first - 2] : ' ')) return default;
        if (first == start && FollowsNumber(text, start)) return default;
        bool named = !plus && HasWord(text, first, token);
        if (!plus && !named && !StartsNational(text, start)) return default;
        int groups = ReadGroups(text, start, lengths, ends, separators);
        for (int count = groups; count > 0; count--)
        {
            // Of a chain of numbers a shorter one may be the phone number only if the rest is apart.
            if (count < groups && separators[count] != ' ') continue;
            int end = ends[count - 1];
            if (end < text.Length && IsContinued(text, end)) continue;
            Groups shape = new(text[start], text.Slice(start, 3 < text.Length - start ? 3 : text.Length - start), lengths[..count], separators[..count], bracket);
            bool accepted = plus ? shape.IsInternational() : named ? shape.IsPlausible() : shape.IsNational() && !IsInHexadecimal(text, first, end);
            // A bracket that was opened must have been closed.
            if (accepted && (!bracket || text[first..end].Contains(')'))) return new PhoneNumber(first, end);
        }

        return default;
    }

    // What before a number makes it part of something else: a name, a decimal number, a formula, an amount.
    private static bool IsJoined(char before, char earlier) => char.IsAsciiLetterOrDigit(before) || before is '_' or '-' or '/' or '$' or '€' or '£' or '¥' or '#' or '*' or '^' or '<' or '%' or '&' or '~' or '\\' or '+'
        || (before is '.' or ',' && char.IsAsciiDigit(earlier)) || (before == '=' && earlier is ' ' or '=' or '<' or '>' or '!');

    /// <summary>Whether the first group can be that of a national form: numbers in tables mostly cannot.</summary>
    private static bool StartsNational(ReadOnlySpan<char> text, int start)
    {
        int length = 1;
        while (length < 6 && start + length < text.Length && char.IsAsciiDigit(text[start + length])) length++;
        return text[start] switch
        {
            '0' => length is > 1 and < 6,
            '1' => length is 1 or 3,
            _ => length == 3,
        };
    }

    private static bool IsContinued(ReadOnlySpan<char> text, int end)
    {
        char after = text[end], next = end + 1 < text.Length ? text[end + 1] : ' ';
        return char.IsAsciiLetterOrDigit(after) || after is '_' or '%' or '*' or '=' or '^' || (after is '.' or ',' or '-' or '/' or ':' && char.IsAsciiDigit(next)) || (after == '-' && char.IsAsciiLetter(next));
    }

    /// <summary>Whether two hexadecimal digits stand alone before or behind: the digits are bytes of a dump.</summary>
    private static bool IsInHexadecimal(ReadOnlySpan<char> text, int start, int end)
    {
        bool before = start > 2 && char.IsWhiteSpace(text[start - 1]) && char.IsAsciiHexDigit(text[start - 2]) && char.IsAsciiHexDigit(text[start - 3]) && (start == 3 || char.IsWhiteSpace(text[start - 4]));
        bool after = end + 2 < text.Length && char.IsWhiteSpace(text[end]) && char.IsAsciiHexDigit(text[end + 1]) && char.IsAsciiHexDigit(text[end + 2]) && (end + 3 == text.Length || char.IsWhiteSpace(text[end + 3]));
        return before || after;
    }

    /// <summary>
    /// Whether a colon and as many digits as a phone number has stand before. The number before the colon is no phone number because digits follow; this one is none either:
    /// else masking it would turn the one before into a phone number, and masking would not end with one pass.
    /// </summary>
    private static bool FollowsNumber(ReadOnlySpan<char> text, int start)
    {
        // Every group may have a blank and a bracket behind it.
        const int longest = MostDigits + 3 * MostGroups;
        if (start == 0 || text[start - 1] != ':') return false;
        int digits = 0;
        for (int i = start - 2; i >= Math.Max(0, start - 1 - longest); i--)
        {
            if (char.IsAsciiDigit(text[i])) digits++;
            else if (text[i] is not (' ' or '\u00A0' or '-' or '.' or '/' or '‐' or '‑' or '(' or ')')) return false;
            if (digits == FewestDigits) return true;
        }

        return false;
    }

    private static bool HasWord(ReadOnlySpan<char> text, int start, ReadOnlySpan<char> token)
    {
        ReadOnlySpan<char> before = text[Math.Max(0, start - Context - token.Length)..start];
        int masked = token.IsEmpty ? -1 : before.LastIndexOf(token);
        before = masked >= 0 ? before[(masked + token.Length)..] : before[Math.Max(0, before.Length - Context)..];
        // Nothing but numbers and marks, as in tables.
        if (!before.ContainsAnyExceptInRange('\0', '@')) return false;
        int line = before.LastIndexOf('\n');
        return before[(line + 1)..].ContainsAny(_words);
    }

    /// <summary>Reads groups of digits; the separator of a group is what stands before it, <c>)</c> for a bracket closed with or without a blank.</summary>
    private static int ReadGroups(ReadOnlySpan<char> text, int start, Span<int> lengths, Span<int> ends, Span<char> separators)
    {
        int groups = 0, digits = 0, position = start;
        separators[0] = '\0';
        while (groups < MostGroups)
        {
            int from = position;
            while (position < text.Length && char.IsAsciiDigit(text[position]))
            {
                if (++digits > MostDigits + 1) return groups;
                position++;
            }

            if (position == from) return groups;
            lengths[groups] = position - from;
            ends[groups++] = position;
            if (position >= text.Length || groups == MostGroups) return groups;
            char separator = text[position];
            if (separator is ' ' or '\u00A0' or '-' or '.' or '/' or '‐' or '‑') position++;
            if (position < text.Length && text[position] is '(' or ')') separator = text[position++];
            if (position < text.Length && separator == ')' && text[position] is ' ' or '-') position++;
            separators[groups < MostGroups ? groups : 0] = separator switch
            {
                '\u00A0' => ' ',
                '‐' or '‑' => '-',
                _ => separator,
            };
            if (separator is not (' ' or '\u00A0' or '-' or '.' or '/' or '‐' or '‑' or '(' or ')')) return groups;
        }

        return groups;
    }

    private readonly ref struct Groups(char leading, ReadOnlySpan<char> head, ReadOnlySpan<int> lengths, ReadOnlySpan<char> separators, bool bracket)
    {
        private readonly char _leading = leading;
        private readonly ReadOnlySpan<char> _head = head, _separators = separators;
        private readonly ReadOnlySpan<int> _lengths = lengths;
        private readonly bool _bracket = bracket;

        private int Digits
        {
            get
            {
                int digits = 0;
                foreach (int length in _lengths) digits += length;
                return digits;
            }
        }

        /// <summary>Behind a plus sign: a country code that does not start with 0, eight digits or more.</summary>
        internal bool IsInternational() => _leading != '0' && Digits is >= 8 and <= MostDigits && (_lengths.Length > 1 ? _lengths[0] <= 4 || _lengths.Length > 2 : Digits >= 10);

        /// <summary>Behind a word for phone: any groups, but for a date.</summary>
        internal bool IsPlausible() => Digits is >= FewestDigits and <= MostDigits && !(_lengths.Length == 3 && Is(4, 2, 2)) && !(_lengths.Length == 3 && Is(2, 2, 4));

        internal bool IsNational()
        {
            char separator = _lengths.Length > 1 ? _separators[1] : '\0';
            bool uniform = true;
            for (int i = 2; i < _lengths.Length; i++) uniform &= _separators[i] == separator;
            int digits = Digits;
            return _leading switch
            {
                // Abroad: 00 and the code of the country.
                '0' when _head.Length > 2 && _head[1] == '0' && _head[2] != '0' && _lengths[0] <= 5 && _lengths.Length >= 3 => digits is >= 10 and <= MostDigits,
                // France: five pairs.
                '0' when _lengths.Length == 5 && uniform && Is(2, 2, 2, 2, 2) => _head[1] != '0',
                // Germany, Austria: 030/1234567.
                '0' when _lengths.Length == 2 && separator == '/' => _lengths[0] is >= 3 and <= 5 && digits is >= 9 and <= 12,
                // China: 010-12345678; Germany: 089-1234567; Japan, 03-1234-5678; Britain: 020 7946 0958; (089) 12345678.
                '0' when _lengths.Length == 2 && separator is '-' or ')' => _lengths[0] is 3 or 4 && _lengths[1] is 7 or 8,
                '0' when _lengths.Length == 3 && (uniform || separator == ')') => separator is '-' or ' ' or ')' && _lengths[0] is >= 2 and <= 5 && _lengths[1] is >= 1 and <= 4 && _lengths[2] is 3 or 4 && digits is 10 or 11,
                '0' => false,
                // North America.
                '1' when _lengths.Length == 4 && separator is '-' or '.' or ' ' or '(' && _separators[3] is '-' or '.' => Is(1, 3, 3, 4),
                // Mobile phones in China.
                '1' => _lengths.Length == 3 && uniform && separator is '-' or ' ' && Is(3, 4, 4) && _head[1] >= '3',
                >= '2' when _lengths.Length == 3 && Is(3, 3, 4) => _bracket ? separator == ')' : uniform && separator is '-' or '.',
                _ => false,
            };
        }

        private bool Is(params ReadOnlySpan<int> expected) => _lengths.SequenceEqual(expected);
    }
}
