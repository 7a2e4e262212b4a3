namespace Hadal.Inference.Constraints.Automata;

/// <summary>What a schema asks of a number.</summary>
/// <param name="IsInteger">Whether it has no fraction.</param>
/// <param name="Least">What it must not be below.</param>
/// <param name="LeastExclusive">Whether it must not be equal either.</param>
/// <param name="Greatest">What it must not be above.</param>
/// <param name="GreatestExclusive">Whether it must not be equal either.</param>
/// <param name="Multiple">Of what it must be a multiple, above 0.</param>
internal sealed record NumberBounds(bool IsInteger, JsonDecimal? Least, bool LeastExclusive, JsonDecimal? Greatest, bool GreatestExclusive, JsonDecimal? Multiple)
{
    internal bool Contains(JsonDecimal value)
    {
        if (IsInteger && value.Scale > 0) return false;
        if (Least is not null && value.CompareTo(Least) is var low && (low < 0 || (low == 0 && LeastExclusive))) return false;
        if (Greatest is not null && value.CompareTo(Greatest) is var high && (high > 0 || (high == 0 && GreatestExclusive))) return false;
        if (Multiple is null) return true;
        int scale = Math.Max(value.Scale, Multiple.Scale);
        return (value.ScaledTo(scale) % Multiple.ScaledTo(scale)).IsZero;
    }
}
