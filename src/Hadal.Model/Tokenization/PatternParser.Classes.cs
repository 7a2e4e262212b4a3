namespace Hadal.Model.Tokenization;

internal sealed partial class PatternParser
{
    /// <summary>Reads a bracketed class, its opening bracket having been read: ranges, escapes, nested classes, POSIX names, intersections.</summary>
    private readonly struct ClassParser(PatternParser owner)
    {
        internal CodePointSet Read()
        {
            if (++owner._depth > DeepestNesting) throw owner.Wrong($"nests deeper than {DeepestNesting} groups");
            bool negated = owner.Accept('^');
            CodePointSet? intersection = null;
            CodePointSet union = CodePointSet.Empty;
            for (bool first = true; ; first = false)
            {
                if (!owner.More) throw owner.Wrong("has a '[' without an end");
                if (owner._pattern[owner._at] == ']' && !first) break;
                if (string.CompareOrdinal(owner._pattern, owner._at, "&&", 0, 2) == 0)
                {
                    owner._at += 2;
                    intersection = intersection?.Intersect(union) ?? union;
                    union = CodePointSet.Empty;
                    continue;
                }

                union = union.Union(owner.Cased(Item()));
            }

            owner._at++;
            owner._depth--;
            CodePointSet set = intersection?.Intersect(union) ?? union;
            return negated ? set.Complement() : set;
        }

        private CodePointSet Item()
        {
            if (owner._pattern[owner._at] == '[')
            {
                if (Posix() is { } named) return named;
                owner._at++;
                return Read();
            }

            int low;
            if (owner.Accept('\\'))
            {
                if (!owner.More) throw owner.Wrong("ends in a single backslash");
                if (owner.SetEscape(owner._pattern[owner._at]) is { } set) return set;
                low = Escaped();
            }
            else
            {
                low = owner.CodePoint();
            }

            // A '-' is a range only between two characters.
            if (owner._at + 1 >= owner._pattern.Length || owner._pattern[owner._at] != '-' || owner._pattern[owner._at + 1] is ']' or '[')
                return CodePointSet.Of(low);
            owner._at++;
            int high = owner.Accept('\\') ? Escaped() : owner.CodePoint();
            if (high < low) throw owner.Wrong("has a range whose end is below its start");
            return CodePointSet.Range(low, high);
        }

        private int Escaped()
        {
            if (!owner.More) throw owner.Wrong("ends in a single backslash");
            char c = owner._pattern[owner._at++];
            return c == 'b' ? '\b' : owner.CharacterEscape(c);
        }

        private CodePointSet? Posix()
        {
            if (string.CompareOrdinal(owner._pattern, owner._at, "[:", 0, 2) != 0) return null;
            int close = owner._pattern.IndexOf(":]", owner._at + 2, StringComparison.Ordinal);
            if (close < 0) return null;
            string name = owner._pattern[(owner._at + 2)..close];
            bool negated = name.StartsWith('^');
            CodePointSet? set = (negated ? name[1..] : name) switch
            {
                "digit" => UnicodeProperties.Digit,
                "punct" => UnicodeProperties.Punctuation.Union(UnicodeProperties.Find("s")!),
                "cntrl" => UnicodeProperties.Find("cc"),
                "word" => UnicodeProperties.Word,
                "space" or "xdigit" or "blank" or "ascii" => UnicodeProperties.Find(negated ? name[1..] : name),
                _ => throw owner.Wrong($"uses the class [:{name}:], which is not supported"),
            };
            owner._at = close + 2;
            return negated ? set!.Complement() : set;
        }
    }
}
