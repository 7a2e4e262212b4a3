using System.Collections.Concurrent;
using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Patterns;

/// <summary>Formats of strings.</summary>
internal static class StringFormat
{
    private const string Days = "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))";
    private const string LeapDay = "(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29";
    private const string Date = "(?:\\d{4}-" + Days + "|" + LeapDay + ")";
    private const string Time = "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)";

    /// <summary>Years from 1: .NET and Python have no year 0.</summary>
    private const string NotYear0 = "^(?:000[1-9]|00[1-9]|0[1-9]|[1-9])";

    private const string Clock = "T(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S)";
    private const string Span = "(?:\\d{1,9}Y(?:\\d{1,9}M(?:\\d{1,9}D)?)?|\\d{1,9}M(?:\\d{1,9}D)?|\\d{1,9}D)";
    private const string Label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    private const string Octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
    private const string Ipv4 = Octet + "(?:\\." + Octet + "){3}";
    private const string Group = "[0-9A-Fa-f]{1,4}";
    private const string Hex = "[0-9A-Fa-f]";
    private const string UriCharacter = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";

    private static readonly ConcurrentDictionary<string, CharacterAutomaton> _known = new(StringComparer.Ordinal);

    /// <summary>The automaton of a format, made once; null for a format that is not known, which JSON Schema takes as a remark.</summary>
    internal static CharacterAutomaton? Automaton(string format)
    {
        if (_known.TryGetValue(format, out var known)) return known;
        string[] patterns = Patterns(format);
        if (patterns.Length == 0) return null;
        int limit = ConstraintLimits.Default.MaxAutomatonStates;
        var automaton = patterns.Select(p => PatternAutomaton.Compile(p, limit)).Aggregate((a, b) => AutomatonProduct.Of(a, b, limit));
        return _known.GetOrAdd(format, automaton);
    }

    private static string[] Patterns(string format)
        => format switch
        {
            "date" => ["^" + Date + "$", NotYear0],
            "time" => ["^" + Time + "$"],
            "date-time" => ["^" + Date + "T" + Time + "$", NotYear0],
            "duration" => ["^P(?:\\d{1,9}W|" + Span + "(?:" + Clock + ")?|" + Clock + ")$"],
            "uuid" => ["^" + Hex + "{8}-" + Hex + "{4}-" + Hex + "{4}-" + Hex + "{4}-" + Hex + "{12}$"],
            "email" => ["^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:" + Label + "\\.)+[A-Za-z]{2,63}$"],
            "hostname" => ["^" + Label + "(?:\\." + Label + ")*$"],
            "ipv4" => ["^" + Ipv4 + "$"],
            "ipv6" => ["^(?:" + Ipv6() + ")$"],
            "uri" => ["^[A-Za-z][A-Za-z0-9+.-]*://(?:" + UriCharacter + ")+(?:/(?:" + UriCharacter + ")*)*(?:\\?(?:" + UriCharacter + "|[/?])*)?(?:#(?:" + UriCharacter + "|[/?])*)?$"],
            _ => [],
        };

    /// <summary>Eight groups, of which a run may be left out once, and the last two of which may be an IPv4 address.</summary>
    private static string Ipv6()
    {
        string tail = "(?:" + Group + ":" + Group + "|" + Ipv4 + ")";
        List<string> forms = ["(?:" + Group + ":){6}" + tail];
        for (int before = 0; before <= 7; before++)
        {
            string head = before == 0 ? "::" : "(?:" + Group + ":){" + before + "}:";
            // At least one group is left out.
            int after = 7 - before;
            forms.Add(head + (after == 0 ? "" : "(?:" + Group + "(?::" + Group + "){0," + (after - 1) + "})?"));
            if (after >= 2) forms.Add(head + "(?:" + Group + ":){0," + (after - 2) + "}" + Ipv4);
        }

        return string.Join('|', forms);
    }
}
