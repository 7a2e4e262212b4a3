using System.Globalization;
using System.Text;

namespace Hadal.Model.Tokenization;

/// <summary>
/// Reads a regular expression of a tokenizer file (the dialect is Oniguruma's Ruby syntax, over code points) into parts: text that means the same
/// to .NET, and sets of code points. Groups come out non-capturing, case-insensitive stretches as widened sets, possessive quantifiers as atomic groups.
/// </summary>
internal sealed partial class PatternParser
{
    private const int DeepestNesting = 100;
    private const int LongestPattern = 20_000;
    private const int LargestRepeat = 100_000;

    private readonly string _pattern;
    private readonly FilePlace _place;
    private readonly List<Part> _parts = [];
    private int _at;
    private int _depth;
    private Flags _flags;

    private PatternParser(string pattern, FilePlace place)
    {
        _pattern = pattern;
        _place = place;
    }

    [Flags]
    private enum Flags
    {
        None = 0,
        IgnoreCase = 1,
        DotMatchesLineFeed = 2,
        Extended = 4,
    }

    /// <summary>One part of a pattern: .NET pattern text, or a set of which one code point matches.</summary>
    internal readonly record struct Part(string? Text, CodePointSet? Set);

    /// <summary>Reads a pattern; what it uses beyond the supported dialect is a <see cref="TokenizerException"/> that names it.</summary>
    internal static List<Part> Parse(string pattern, FilePlace place)
    {
        if (pattern.Length > LongestPattern) throw place.Fault($"the pattern has {pattern.Length} characters, more than the {LongestPattern} allowed");
        PatternParser parser = new(pattern, place);
        parser.Alternation();
        if (parser._at < pattern.Length) throw parser.Wrong("has a ')' that closes nothing");
        return parser._parts;
    }

    private bool More => _at < _pattern.Length;

    private void Alternation()
    {
        if (++_depth > DeepestNesting) throw Wrong($"nests deeper than {DeepestNesting} groups");
        while (More && _pattern[_at] != ')')
        {
            if (_pattern[_at] == '|')
            {
                _at++;
                Emit("|");
            }
            else
            {
                Quantified();
            }
        }

        _depth--;
    }

    private void Quantified()
    {
        if (_flags.HasFlag(Flags.Extended) && SkipLayout()) return;
        int first = _parts.Count;
        if (!Atom()) return;
        while (More)
        {
            string? quantifier = Quantifier(out bool possessive);
            if (quantifier is null) return;
            _parts.Insert(first, new Part(possessive ? "(?>(?:" : "(?:", null));
            Emit(possessive ? $"){quantifier})" : $"){quantifier}");
            // A further quantifier applies to the whole of this one.
            if (More && _pattern[_at] is '?' or '*' or '+' or '{')
            {
                _parts.Insert(first, new Part("(?:", null));
                Emit(")");
            }
        }
    }

    private bool SkipLayout()
    {
        char c = _pattern[_at];
        if (c == '#')
        {
            int end = _pattern.IndexOf('\n', _at);
            _at = end < 0 ? _pattern.Length : end + 1;
            return true;
        }

        if (!char.IsWhiteSpace(c)) return false;
        _at++;
        return true;
    }

    private string? Quantifier(out bool possessive)
    {
        possessive = false;
        char c = _pattern[_at];
        string quantifier;
        if (c is '?' or '*' or '+')
        {
            _at++;
            quantifier = c.ToString();
            possessive = Accept('+');
        }
        else if (c == '{' && Interval() is { } interval)
        {
            quantifier = interval;
        }
        else
        {
            return null;
        }

        return !possessive && Accept('?') ? quantifier + "?" : quantifier;
    }

    /// <summary>Reads {n}, {n,}, {n,m} or {,m}; anything else leaves the brace to be an ordinary character.</summary>
    private string? Interval()
    {
        int close = _pattern.IndexOf('}', _at);
        if (close < 0) return null;
        ReadOnlySpan<char> inside = _pattern.AsSpan(_at + 1, close - _at - 1);
        int comma = inside.IndexOf(',');
        ReadOnlySpan<char> low = comma < 0 ? inside : inside[..comma];
        ReadOnlySpan<char> high = comma < 0 ? inside : inside[(comma + 1)..];
        if ((low.IsEmpty && high.IsEmpty) || low.ContainsAnyExceptInRange('0', '9') || high.ContainsAnyExceptInRange('0', '9')) return null;
        int from = Bound(low, 0);
        int to = Bound(high, int.MaxValue);
        if (from > to) throw Wrong($"has an interval {{{inside}}} whose first number is above the second");
        _at = close + 1;
        return comma < 0 ? $"{{{from}}}" : to == int.MaxValue ? $"{{{from},}}" : $"{{{from},{to}}}";

        int Bound(ReadOnlySpan<char> digits, int absent)
        {
            if (digits.IsEmpty) return absent;
            if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int value) || value > LargestRepeat)
                throw Wrong($"repeats something more than {LargestRepeat} times");
            return value;
        }
    }

    /// <summary>Reads one thing a quantifier may follow; false when what was read matches nothing (a comment, a change of flags).</summary>
    private bool Atom()
    {
        char c = _pattern[_at];
        switch (c)
        {
            case '(':
                return Group();
            case '[':
                _at++;
                Emit(new ClassParser(this).Read());
                return true;
            case '.':
                _at++;
                Emit(_flags.HasFlag(Flags.DotMatchesLineFeed) ? CodePointSet.All : CodePointSet.Of('\n').Complement());
                return true;
            case '^':
                _at++;
                Emit("(?m:^)");
                return true;
            case '$':
                _at++;
                Emit("(?m:$)");
                return true;
            case '*' or '+' or '?':
                throw Wrong($"has a '{c}' that repeats nothing");
            case '\\':
                _at++;
                Escape();
                return true;
            default:
                Emit(Cased(CodePointSet.Of(CodePoint())));
                return true;
        }
    }

    private bool Group()
    {
        _at++;
        Flags outer = _flags;
        string open = "(?:";
        if (Accept('?'))
        {
            if (Accept('#'))
            {
                int end = _pattern.IndexOf(')', _at);
                if (end < 0) throw Wrong("has a comment without an end");
                _at = end + 1;
                return false;
            }

            if (Accept(':')) open = "(?:";
            else if (Accept('=')) open = "(?=";
            else if (Accept('!')) open = "(?!";
            else if (Accept('>')) open = "(?>";
            else if (Accept('<')) open = Accept('=') ? "(?<=" : Accept('!') ? "(?<!" : Named('>');
            else if (Accept('\'')) open = Named('\'');
            else if (!FlagChange()) return false;
        }

        Emit(open);
        Alternation();
        if (!Accept(')')) throw Wrong("has a group without an end");
        Emit(")");
        _flags = outer;
        return true;
    }

    private string Named(char end)
    {
        int close = _pattern.IndexOf(end, _at);
        if (close < 0) throw Wrong("has a group name without an end");
        _at = close + 1;
        return "(?:";
    }

    /// <summary>Reads the letters of (?imx-imx) or (?imx-imx: ; true when a group body follows.</summary>
    private bool FlagChange()
    {
        bool on = true;
        while (More)
        {
            char c = _pattern[_at++];
            if (c == '-')
            {
                on = false;
                continue;
            }

            if (c == ':') return true;
            if (c == ')') return false;
            Flags flag = c switch
            {
                'i' => Flags.IgnoreCase,
                'm' => Flags.DotMatchesLineFeed,
                'x' => Flags.Extended,
                _ => throw Wrong($"uses the group (?{c}…), which is not supported"),
            };
            _flags = on ? _flags | flag : _flags & ~flag;
        }

        throw Wrong("has a group without an end");
    }

    private void Escape()
    {
        if (!More) throw Wrong("ends in a single backslash");
        char c = _pattern[_at];
        if (SetEscape(c) is { } set)
        {
            // Outside a class these sets are taken as they are even where case is ignored; \w is a little wider there.
            Emit(c switch
            {
                'w' => UnicodeProperties.WordOutsideClass,
                'W' => UnicodeProperties.WordOutsideClass.Complement(),
                _ => set,
            });
            return;
        }

        _at++;
        switch (c)
        {
            case 'A' or 'z' or 'Z':
                Emit($"\\{c}");
                break;
            case 'b' or 'B':
                Boundary(negated: c == 'B');
                break;
            default:
                Emit(Cased(CodePointSet.Of(CharacterEscape(c))));
                break;
        }
    }

    private void Boundary(bool negated)
    {
        // A place is a boundary when exactly one of its two sides is a word character.
        Emit("(?:(?<=");
        Emit(UnicodeProperties.WordOutsideClass);
        Emit(negated ? ")(?=" : ")(?!");
        Emit(UnicodeProperties.WordOutsideClass);
        Emit(")|(?<!");
        Emit(UnicodeProperties.WordOutsideClass);
        Emit(negated ? ")(?!" : ")(?=");
        Emit(UnicodeProperties.WordOutsideClass);
        Emit("))");
    }

    /// <summary>Reads an escape that stands for a set, the letter being the current character; null, with nothing read, for any other.</summary>
    private CodePointSet? SetEscape(char c)
    {
        if (c is 'p' or 'P') return Property();
        CodePointSet? set = char.ToLowerInvariant(c) switch
        {
            's' => UnicodeProperties.WhiteSpace,
            'd' => UnicodeProperties.Digit,
            'w' => UnicodeProperties.Word,
            'h' => UnicodeProperties.HexDigit,
            _ => null,
        };
        if (set is null) return null;
        _at++;
        return char.IsAsciiLetterUpper(c) ? set.Complement() : set;
    }

    private CodePointSet Property()
    {
        bool negated = _pattern[_at++] == 'P';
        int close = More && _pattern[_at] == '{' ? _pattern.IndexOf('}', _at) : -1;
        if (close < 0) throw Wrong("has a \\p that is not followed by a name in braces");
        string name = _pattern[(_at + 1)..close];
        _at = close + 1;
        if (name.StartsWith('^'))
        {
            negated = !negated;
            name = name[1..];
        }

        CodePointSet set = UnicodeProperties.Find(name)
            ?? throw Wrong($"uses the character property {FilePlace.Quote(name)}; supported are the general categories and a few common classes");
        return negated ? set.Complement() : set;
    }

    /// <summary>The code point an escape stands for, the letter having been read.</summary>
    private int CharacterEscape(char c)
    {
        switch (c)
        {
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'f': return '\f';
            case 'v': return '\v';
            case 'a': return '\a';
            case 'e': return 0x1B;
            case '0': return 0;
            case 'u': return Hex(4);
            case 'x' when More && _pattern[_at] == '{':
                int close = _pattern.IndexOf('}', _at);
                if (close < 0) throw Wrong("has a \\x{ without an end");
                _at++;
                int value = Hex(close - _at);
                _at++;
                return value;
            case 'x': return Hex(2);
            case (>= '1' and <= '9') or 'k': throw Wrong("uses a back reference, which is not supported");
            case var _ when char.IsAsciiLetter(c): throw Wrong($"uses \\{c}, which is not supported");
            default:
                _at--;
                return CodePoint();
        }
    }

    private int Hex(int digits)
    {
        if (digits is < 1 or > 6 || _at + digits > _pattern.Length
            || !int.TryParse(_pattern.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value)
            || !Rune.IsValid(value))
            throw Wrong("has a hexadecimal escape that names no character");
        _at += digits;
        return value;
    }

    private int CodePoint()
    {
        if (Rune.DecodeFromUtf16(_pattern.AsSpan(_at), out Rune rune, out int width) != System.Buffers.OperationStatus.Done)
            throw Wrong("holds half of a surrogate pair");
        _at += width;
        return rune.Value;
    }

    private CodePointSet Cased(CodePointSet set) => _flags.HasFlag(Flags.IgnoreCase) ? set.WithCaseVariants() : set;

    private bool Accept(char c)
    {
        if (!More || _pattern[_at] != c) return false;
        _at++;
        return true;
    }

    private void Emit(string text) => _parts.Add(new Part(text, null));

    private void Emit(CodePointSet set) => _parts.Add(new Part(null, set));

    private TokenizerException Wrong(string what) => _place.Fault($"the pattern {FilePlace.Quote(_pattern)} {what} (at character {_at})");
}
