using System.Globalization;

namespace Hadal.Inference.Constraints.Patterns;

/// <summary>
/// Reads the regular part of ECMAScript's regular expressions: characters, classes, groups, alternatives, repetition and anchors. What depends on text elsewhere (looking
/// around, references back, word boundaries) is refused.
/// </summary>
internal sealed class RegularExpression
{
    private const int MaxDepth = 64;
    private const int MaxCount = 10_000;
    private readonly string _text;
    private int _place, _depth;

    private RegularExpression(string text) => _text = text;

    /// <summary>Reads a regular expression.</summary>
    /// <exception cref="PatternException">It is malformed or not supported.</exception>
    internal static PatternNode Parse(string text)
    {
        RegularExpression expression = new(text);
        var node = expression.Either();
        return expression._place == text.Length ? node : throw expression.Fault("a closing parenthesis has no opening one");
    }

    private PatternException Fault(string message) => new($"{message} (at character {_place})");

    private bool At(char c) => _place < _text.Length && _text[_place] == c;

    private bool Take(char c)
    {
        if (!At(c)) return false;
        _place++;
        return true;
    }

    private bool Take(string text)
    {
        if (!_text.AsSpan(_place).StartsWith(text, StringComparison.Ordinal)) return false;
        _place += text.Length;
        return true;
    }

    private PatternNode Either()
    {
        if (++_depth > MaxDepth) throw Fault($"groups lie more than {MaxDepth} deep in each other");
        List<PatternNode> parts = [Series()];
        while (Take('|')) parts.Add(Series());
        _depth--;
        return parts.Count == 1 ? parts[0] : new PatternNode.Either(parts);
    }

    private PatternNode Series()
    {
        List<PatternNode> parts = [];
        while (_place < _text.Length && !At('|') && !At(')')) parts.Add(Repeated(Atom()));
        return parts.Count == 1 ? parts[0] : new PatternNode.Series(parts);
    }

    private PatternNode Repeated(PatternNode part)
    {
        var (least, greatest) = (1, 1);
        if (Take('*')) (least, greatest) = (0, int.MaxValue);
        else if (Take('+')) greatest = int.MaxValue;
        else if (Take('?')) least = 0;
        else if (!TakeCounts(ref least, ref greatest)) return part;
        if (part is PatternNode.Anchor) throw Fault("an anchor cannot be repeated");
        Take('?');
        if (At('*') || At('+') || At('?')) throw Fault("nothing is there to repeat");
        return new PatternNode.Repeated(part, least, greatest);
    }

    /// <summary>Reads {n}, {n,} or {n,m}; any other brace is itself.</summary>
    private bool TakeCounts(ref int least, ref int greatest)
    {
        int end = At('{') ? _text.IndexOf('}', _place) : -1;
        if (end < 0) return false;
        string[] counts = _text[(_place + 1)..end].Split(',');
        if (counts.Length > 2 || counts[0].Length == 0 || counts.Any(static c => c.AsSpan().ContainsAnyExceptInRange('0', '9'))) return false;
        least = Count(counts[0]);
        greatest = counts.Length == 1 ? least : counts[1].Length == 0 ? int.MaxValue : Count(counts[1]);
        if (least > greatest) throw Fault("the counts of a repetition are the wrong way round");
        _place = end + 1;
        return true;
    }

    private int Count(string digits)
        => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count <= MaxCount ? count : throw Fault($"a repetition counts to more than {MaxCount:N0}");

    private PatternNode Atom()
    {
        int character = Next();
        switch (character)
        {
            case '^':
                return new PatternNode.Anchor(false);
            case '$':
                return new PatternNode.Anchor(true);
            case '.':
                return new PatternNode.One(CharacterRanges.Dot);
            case '[':
                return new PatternNode.One(Class());
            case '(':
                if (Take("?=") || Take("?!") || Take("?<=") || Take("?<!")) throw Fault("looking ahead or behind is not supported");
                if (Take("?<"))
                {
                    int end = _text.IndexOf('>', _place);
                    if (end < 0) throw Fault("the name of a group has no end");
                    _place = end + 1;
                }
                else if (At('?') && !Take("?:"))
                {
                    throw Fault("of groups that begin with a question mark only (?: and (?<name> are supported");
                }

                var inner = Either();
                return Take(')') ? inner : throw Fault("a group has no closing parenthesis");
            case '*' or '+' or '?':
                throw Fault("nothing is there to repeat");
            case '\\':
                if (At('b') || At('B')) throw Fault("word boundaries are not supported");
                if (_place < _text.Length && _text[_place] is >= '1' and <= '9' or 'k') throw Fault("references back are not supported");
                return new PatternNode.One(Escape(false));
            default:
                return new PatternNode.One(CharacterRanges.Of((character, character)));
        }
    }

    private CharacterRanges Class()
    {
        bool negated = Take('^');
        List<CharacterRanges> sets = [];
        while (!Take(']'))
        {
            if (_place == _text.Length) throw Fault("a class of characters has no closing bracket");
            var low = ClassAtom();
            if (!At('-') || _place + 1 >= _text.Length || _text[_place + 1] == ']')
            {
                sets.Add(low);
                continue;
            }

            _place++;
            var high = ClassAtom();
            if (low.Ranges is not [var (first, end)] || first != end || high.Ranges is not [var (from, last)] || from != last) throw Fault("a range in a class of characters goes from one character to another");
            if (first > last) throw Fault("a range in a class of characters is the wrong way round");
            sets.Add(CharacterRanges.Of((first, last)));
        }

        var all = CharacterRanges.Union(sets);
        return negated ? all.Complement() : all;
    }

    private CharacterRanges ClassAtom()
    {
        int character = Next();
        return character == '\\' ? Escape(true) : CharacterRanges.Of((character, character));
    }

    /// <summary>The next character, a pair of surrogates as one.</summary>
    private int Next()
    {
        if (_place == _text.Length) throw Fault("the pattern ends too early");
        if (_place + 1 < _text.Length && char.IsSurrogatePair(_text[_place], _text[_place + 1]))
        {
            _place += 2;
            return char.ConvertToUtf32(_text[_place - 2], _text[_place - 1]);
        }

        return _text[_place++];
    }

    private CharacterRanges Escape(bool inClass)
    {
        int c = Next();
        switch (c)
        {
            case 'd':
                return CharacterRanges.Digits;
            case 'D':
                return CharacterRanges.Digits.Complement();
            case 'w':
                return CharacterRanges.Word;
            case 'W':
                return CharacterRanges.Word.Complement();
            case 's':
                return CharacterRanges.Space;
            case 'S':
                return CharacterRanges.Space.Complement();
            case 'p' or 'P':
                int end = At('{') ? _text.IndexOf('}', _place) : -1;
                if (end < 0) throw Fault("\\p is followed by a category in braces");
                string name = _text[(_place + 1)..end];
                name = name.StartsWith("gc=", StringComparison.Ordinal) ? name[3..] : name;
                var set = CharacterRanges.Category(name) ?? throw Fault("of Unicode properties only general categories such as L or Lu are supported");
                _place = end + 1;
                return c == 'p' ? set : set.Complement();
        }

        int character = c switch
        {
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'f' => '\f',
            'v' => '\v',
            'b' when inClass => '\b',
            '0' => 0,
            'x' => Hexadecimal(2),
            'u' => CodeUnits(),
            'c' when _place < _text.Length && char.IsAsciiLetter(_text[_place]) => _text[_place++] & 31,
            _ when char.IsAsciiLetterOrDigit((char)c) && c < 128 => throw Fault($"\\{(char)c} is not supported"),
            _ => c,
        };
        return CharacterRanges.Of((character, character));
    }

    private int CodeUnits()
    {
        if (At('{'))
        {
            int end = _text.IndexOf('}', _place);
            if (end < 0 || !int.TryParse(_text.AsSpan(_place + 1, end - _place - 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int point) || point is < 0 or > CharacterRanges.Last)
                throw Fault("\\u{…} needs a code point in hexadecimal");
            _place = end + 1;
            return point;
        }

        int high = Hexadecimal(4), back = _place;
        if (high is < 0xD800 or > 0xDBFF || !Take("\\u")) return high;
        int low = Hexadecimal(4);
        if (low is >= 0xDC00 and <= 0xDFFF) return char.ConvertToUtf32((char)high, (char)low);
        _place = back;
        return high;
    }

    private int Hexadecimal(int digits)
    {
        if (_place + digits > _text.Length || !int.TryParse(_text.AsSpan(_place, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value)) throw Fault($"{digits} hexadecimal digits are missing");
        _place += digits;
        return value;
    }
}
