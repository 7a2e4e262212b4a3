using System.Buffers;
using System.Globalization;

namespace Hadal.Data.Normalization;

/// <summary>The pass that looks at every character once: line ends, control, invisible and private characters, trailing blanks, runs of empty lines.</summary>
internal ref struct CleaningPass(string text, CleaningOptions options)
{
    private const char LineFeed = '\n', Escape = '\u001B', Joiner = '\u200D', NonJoiner = '\u200C';

    // The characters that Windows code page 1252 puts where Latin-1 has control characters; such a control character in text nearly always is one of these
    // read as Latin-1 (the HTML standard reads them so). Zero: none.
    private const string Windows1252 = "\u20AC\0\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\0\u017D\0\0\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\0\u017E\u0178";

    // All that may need work besides line feeds and blanks.
    private static readonly bool[] _special = FindSpecial();

    private readonly bool _rightToLeft = HasRightToLeft(text);
    private char[] _buffer = [];
    private int _length, _lineStart, _emptyLines;
    private int _controls, _zeroWidth, _directionMarks, _noncharacters, _privateUse, _loneSurrogates, _replacements, _lineEnds, _noBreakSpaces, _trailing, _blankLines;

    internal readonly CleaningCounts Counts => new()
    {
        Controls = _controls,
        ZeroWidth = _zeroWidth,
        DirectionMarks = _directionMarks,
        Noncharacters = _noncharacters,
        PrivateUse = _privateUse,
        LoneSurrogates = _loneSurrogates,
        ReplacementCharacters = _replacements,
        LineEnds = _lineEnds,
        NoBreakSpaces = _noBreakSpaces,
        TrailingBlanks = _trailing,
        BlankLines = _blankLines,
    };

    internal static char FromWindows1252(char control) => Windows1252[control - 0x80];

    internal string Run()
    {
        _buffer = ArrayPool<char>.Shared.Rent(text.Length + 1);
        // Empty lines before the text count like any others, but none of them stays.
        _emptyLines = options.MaximumBlankLines;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == LineFeed) EndLine();
            else if (!_special[c]) _buffer[_length++] = c;
            else i = Special(c, i);
        }

        if (options.TrimLineEnds) TrimLine();
        // A line feed at the end stays one; empty lines at the end go.
        int end = _length;
        while (end > 0 && _buffer[end - 1] == LineFeed) end--;
        if (end < _length && end > 0)
        {
            _blankLines += _length - end - 1;
            _length = end + 1;
        }
        else if (end == 0)
        {
            _blankLines += _length;
            _length = 0;
        }

        ReadOnlySpan<char> result = _buffer.AsSpan(0, _length);
        string cleaned = result.SequenceEqual(text) ? text : result.ToString();
        ArrayPool<char>.Shared.Return(_buffer);
        return cleaned;
    }

    private void TrimLine()
    {
        int end = _length;
        while (end > _lineStart && char.IsWhiteSpace(_buffer[end - 1])) end--;
        _trailing += _length - end;
        _length = end;
    }

    private void EndLine()
    {
        if (options.TrimLineEnds) TrimLine();
        bool empty = _length == _lineStart;
        if (empty && _emptyLines >= options.MaximumBlankLines)
        {
            _blankLines++;
            return;
        }

        _emptyLines = empty ? _emptyLines + 1 : 0;
        _buffer[_length++] = LineFeed;
        _lineStart = _length;
    }

    /// <summary>Deals with a character of the special set; returns the index of the last character used.</summary>
    private int Special(char c, int i)
    {
        switch (c)
        {
            case '\r':
                _lineEnds++;
                // A line feed after it ends the line.
                if (i + 1 >= text.Length || text[i + 1] != LineFeed) EndLine();
                return i;
            case '\v' or '\f':
                // At the edge of a line a page break says nothing more.
                if (_length > _lineStart && i + 1 < text.Length && text[i + 1] is not (LineFeed or '\r')) EndLine();
                _controls++;
                return i;
            case '\u2028' or '\u2029':
                _lineEnds++;
                EndLine();
                return i;
            case '\u00A0' or '\u2007' or '\u202F':
                if (options.ReplaceNoBreakSpaces) _noBreakSpaces++;
                _buffer[_length++] = options.ReplaceNoBreakSpaces ? ' ' : c;
                return i;
            case Escape:
                _controls++;
                return SkipEscapeSequence(i);
            case < ' ' or '\u007F':
                _controls++;
                return i;
            case <= '\u009F':
                _controls++;
                if (FromWindows1252(c) is not '\0' and char meant) _buffer[_length++] = meant;
                return i;
            case Joiner or NonJoiner:
                if (JoinerMeansSomething(i)) _buffer[_length++] = c;
                else _zeroWidth++;
                return i;
            case '\u200E' or '\u200F' or '\u061C' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069'):
                if (_rightToLeft) _buffer[_length++] = c;
                else _directionMarks++;
                return i;
            case '\uFFFD':
                _replacements++;
                _buffer[_length++] = c;
                return i;
            case '\uFFFE' or '\uFFFF' or (>= '\uFDD0' and <= '\uFDEF'):
                _noncharacters++;
                return i;
            case >= '\uE000' and <= '\uF8FF':
                _privateUse++;
                if (!options.RemovePrivateUse) _buffer[_length++] = c;
                return i;
            case >= '\uD800' and <= '\uDFFF':
                return Surrogate(c, i);
            default:
                _zeroWidth++;
                return i;
        }
    }

    private int Surrogate(char c, int i)
    {
        if (!char.IsHighSurrogate(c) || i + 1 >= text.Length || !char.IsLowSurrogate(text[i + 1]))
        {
            _loneSurrogates++;
            return i;
        }

        int codePoint = char.ConvertToUtf32(c, text[i + 1]);
        bool keep = true;
        if ((codePoint & 0xFFFE) == 0xFFFE)
        {
            _noncharacters++;
            keep = false;
        }
        else if (codePoint >= 0xF0000)
        {
            _privateUse++;
            keep = !options.RemovePrivateUse;
        }
        else if (codePoint is >= 0xE0000 and <= 0xE007F && !InFlag())
        {
            // Tag characters are invisible; they mean something only after a black flag, as the flags of countries' parts.
            _zeroWidth++;
            keep = false;
        }

        if (keep)
        {
            _buffer[_length++] = c;
            _buffer[_length++] = text[i + 1];
        }

        return i + 1;
    }

    private readonly bool InFlag() => _length >= _lineStart + 2 && _buffer[_length - 2] is '\uD83C' or '\uDB40' && _buffer[_length - 1] is '\uDFF4' or (>= '\uDC20' and <= '\uDC7E');

    /// <summary>ESC [ parameters letter: what terminals draw colours with. Other escapes lose the escape character alone.</summary>
    private readonly int SkipEscapeSequence(int i)
    {
        const int LongestSequence = 32;
        if (i + 1 >= text.Length || text[i + 1] != '[') return i;
        int end = i + 2;
        int limit = Math.Min(text.Length, end + LongestSequence);
        while (end < limit && text[end] is (>= '0' and <= '9') or ';' or '?' or ':') end++;
        return end < limit && char.IsAsciiLetter(text[end]) ? end : i;
    }

    /// <summary>Joiners shape Arabic and Indic letters and bind emoji together; anywhere else they are left over from some program.</summary>
    private readonly bool JoinerMeansSomething(int i)
    {
        if (i == 0 || i + 1 >= text.Length) return false;
        char before = text[i - 1], after = text[i + 1];
        bool shaping = before is (>= '\u0600' and <= '\u08FF') or (>= '\u0900' and <= '\u0DFF') or (>= '\u0E00' and <= '\u109F') or (>= '\u1780' and <= '\u18AF');
        bool emoji = text[i] == Joiner && (char.IsLowSurrogate(before) || before == '\uFE0F' || before is >= '\u2190' and <= '\u2BFF')
            && (char.IsHighSurrogate(after) || after is >= '\u2190' and <= '\u2BFF');
        return shaping || emoji;
    }

    private static bool HasRightToLeft(string text) => text.AsSpan().ContainsAnyInRange('\u0590', '\u08FF') || text.AsSpan().ContainsAnyInRange('\uFB1D', '\uFDCF')
        || text.AsSpan().ContainsAnyInRange('\uFE70', '\uFEFC');

    private static bool[] FindSpecial()
    {
        bool[] special = new bool[char.MaxValue + 1];
        for (int c = 0; c <= char.MaxValue; c++)
        {
            special[c] = char.GetUnicodeCategory((char)c) switch
            {
                UnicodeCategory.Control => c is not ('\t' or '\n'),
                UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => true,
                _ => c is 0x00A0 or 0x2007 or 0x202F or 0x00AD or 0x061C or 0x180E or (>= 0x200B and <= 0x200F) or (>= 0x202A and <= 0x202E)
                    or (>= 0x2060 and <= 0x206F) or 0xFEFF or (>= 0xFFF9 and <= 0xFFFB) or >= 0xFFFD or (>= 0xFDD0 and <= 0xFDEF),
            };
        }

        return special;
    }
}
