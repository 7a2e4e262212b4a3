using System.Globalization;
using System.Text;
using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>The parts of JSON that are the same everywhere, and how texts and names are spelled.</summary>
internal static class JsonText
{
    /// <summary>Blanks that may follow a line break.</summary>
    internal const int MaxBlanks = 64;

    /// <summary>Tabs that may follow a line break.</summary>
    internal const int MaxTabs = 16;

    internal const int MaxNumberDigits = 20;

    internal static Terminal ObjectOpening { get; } = Punctuation("{", true);

    internal static Terminal ArrayOpening { get; } = Punctuation("[", true);

    internal static Terminal Comma { get; } = Punctuation(",", true);

    /// <summary>White space and a brace, for an object that has properties.</summary>
    internal static Terminal ObjectClosing { get; } = Punctuation("}", false);

    internal static Terminal ArrayClosing { get; } = Punctuation("]", false);

    /// <summary>A brace alone, for an object without properties.</summary>
    internal static Terminal ObjectEnd { get; } = new LiteralTerminal("}"u8.ToArray()) { IsShared = true };

    internal static Terminal ArrayEnd { get; } = new LiteralTerminal("]"u8.ToArray()) { IsShared = true };

    /// <summary>What stands behind a name that no schema lists.</summary>
    internal static Terminal OpenNameEnd { get; } = new LiteralTerminal(":"u8.ToArray(), optionalBlank: true) { IsShared = true, IsOpenNameEnd = true };

    internal static Terminal AnyString => PlainStringTerminal.Any;

    internal static Terminal AnyName { get; } = new PlainStringTerminal(0, PlainStringTerminal.Unlimited) { IsOpenName = true, IsShared = true };

    internal static Terminal Null { get; } = new LiteralTerminal("null"u8.ToArray()) { IsShared = true };

    internal static Terminal Boolean { get; } = new TextSetTerminal(["true"u8.ToArray(), "false"u8.ToArray()]) { IsShared = true };

    /// <summary>Any JSON value.</summary>
    internal static GrammarNode AnyValue { get; }

    /// <summary>Any JSON object.</summary>
    internal static GrammarNode AnyObject { get; }

    static JsonText()
    {
        Alternatives value = new();
        AnyValue = value;
        AnyObject = new ObjectStructure([], [(AnyName, value)], 0, int.MaxValue);
        value.Options.AddRange([AnyObject, new ArrayStructure([], value, 0, int.MaxValue), AnyString, NumberAutomaton.AnyNumber, Boolean, Null]);
        // These nodes are in many grammars; from here on they do not change.
        MinimalNesting.Compute(value);
    }

    /// <summary>A text as a JSON string, with no more escapes than needed.</summary>
    internal static byte[] Quote(string text)
    {
        StringBuilder json = new("\"");
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' or '\\' => json.Append('\\').Append(c),
                '\b' => json.Append("\\b"),
                '\f' => json.Append("\\f"),
                '\n' => json.Append("\\n"),
                '\r' => json.Append("\\r"),
                '\t' => json.Append("\\t"),
                < ' ' => json.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture)),
                _ => json.Append(c),
            };
        }

        return Encoding.UTF8.GetBytes(json.Append('"').ToString());
    }

    /// <summary>A name of a property and the colon behind it.</summary>
    internal static Terminal Name(string name) => new LiteralTerminal([.. Quote(name), (byte)':'], optionalBlank: true);

    /// <summary>A mark with white space behind or before it: nothing, one blank, or a line break with an indentation.</summary>
    private static ByteTable Punctuation(string mark, bool markFirst)
    {
        // 0 before everything, 1 behind the mark, 2 behind a blank, 3 behind a line break, 4… behind blanks, 100… behind tabs.
        const int behindMark = 1, blank = 2, line = 3, tabs = 1000;
        int? Space(int state, int value, int from)
        {
            if (state == from) return value == ' ' ? blank : value == '\n' ? line : null;
            if (value == ' ') return state is >= line and < line + MaxBlanks ? state + 1 : null;
            return value != '\t' ? null : state == line ? tabs + 1 : state is > tabs and < tabs + MaxTabs ? state + 1 : null;
        }

        int? Step(int state, int value)
        {
            if (value == mark[0]) return markFirst ? state == 0 ? behindMark : null : state == behindMark ? null : behindMark;
            if (markFirst) return state == 0 ? null : Space(state, value, behindMark);
            return state == behindMark ? null : Space(state, value, 0);
        }

        byte[] alphabet = [(byte)mark[0], (byte)' ', (byte)'\n', (byte)'\t'];
        return ByteTable.Explore(0, alphabet, false, Step, s => markFirst ? s != 0 : s == behindMark, int.MaxValue, shared: true)!;
    }
}
