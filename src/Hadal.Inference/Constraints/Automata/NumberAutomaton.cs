using System.Numerics;

namespace Hadal.Inference.Constraints.Automata;

/// <summary>
/// JSON numbers within bounds, compared digit by digit: the number of digits before the point decides, then the first digit that differs. All is exact, in decimals. Only numbers
/// without bounds have exponents.
/// </summary>
internal sealed class NumberAutomaton
{
    /// <summary>Digits before the point of a number without bounds, and behind the point.</summary>
    internal const int MaxDigits = 20;

    private const int MaxExponentDigits = 2;
    private const int MaxMultiple = 100_000;

    private readonly NumberBounds _bounds;
    private readonly Bound _least, _greatest;
    private readonly int _integerDigits, _fractionDigits;
    private readonly int _multiple = 1, _multipleScale;

    private NumberAutomaton(NumberBounds bounds)
    {
        _bounds = bounds;
        (_least, _greatest) = (new Bound(bounds.Least), new Bound(bounds.Greatest));
        _integerDigits = Math.Max(MaxDigits, Math.Max(_least.Integer.Length, _greatest.Integer.Length));
        _fractionDigits = bounds.IsInteger ? 0 : Math.Max(MaxDigits, 1 + Math.Max(_least.Fraction.Length, _greatest.Fraction.Length));
        if (bounds.Multiple is not { } multiple) return;
        (_multiple, _multipleScale) = ((int)multiple.Mantissa, multiple.Scale);
        _fractionDigits = Math.Min(_fractionDigits, multiple.Scale);
    }

    internal static Terminal AnyNumber { get; } = Build(new NumberBounds(false, null, false, null, false, null), int.MaxValue, true)!;

    /// <summary>Integers that 64 bits hold, which is what every reader of JSON takes.</summary>
    internal static Terminal AnyInteger { get; } = Build(new NumberBounds(true, new JsonDecimal(long.MinValue, 0), false, new JsonDecimal(long.MaxValue, 0), false, null), int.MaxValue, true)!;

    /// <summary>Whether a multiple is small enough to be counted in states.</summary>
    internal static bool IsSupported(JsonDecimal multiple) => multiple.Mantissa <= MaxMultiple;

    /// <summary>The automaton.</summary>
    /// <param name="bounds">What the numbers must be; the multiple <see cref="IsSupported"/>.</param>
    /// <param name="limit">How many states it may have.</param>
    /// <param name="shared">Whether it is one for all grammars.</param>
    /// <returns>Null when it would have more states.</returns>
    internal static ByteTable? Build(NumberBounds bounds, int limit, bool shared = false)
    {
        if (bounds.IsInteger)
        {
            // Without bounds an integer has 64 bits, unless the other bound is outside.
            JsonDecimal low = new(long.MinValue, 0), high = new(long.MaxValue, 0);
            bounds = bounds with
            {
                Least = bounds.Least ?? (bounds.Greatest is null || bounds.Greatest.CompareTo(low) > 0 ? low : null),
                Greatest = bounds.Greatest ?? (bounds.Least is null || bounds.Least.CompareTo(high) < 0 ? high : null),
            };
        }

        NumberAutomaton automaton = new(bounds);
        return ByteTable.Explore(new Place(Part.Start, false, false, 0, 0, 0, 0), "0123456789-.eE+"u8, false, automaton.Step, automaton.Accepts, limit, shared);
    }

    private Place? Step(Place p, int value)
        => value switch
        {
            >= '0' and <= '9' => StepDigit(p, value - '0'),
            '-' when p.Part == Part.Start => MayBeNegative ? p with { Part = Part.Minus, Negative = true } : null,
            '-' or '+' when p.Part == Part.Exponent => p with { Part = Part.ExponentSign },
            '.' when (p.Part is Part.Integer or Part.Zero) && _fractionDigits > 0 => Resolve(p) with { Part = Part.Point, Digits = 0 },
            'e' or 'E' when MayHaveExponent && (p.Part is Part.Integer or Part.Zero or Part.Fraction) && IsProper(p)
                => new Place(Part.Exponent, p.Negative, p.NonZero, 0, 0, 0, 0),
            _ => null,
        };

    private bool MayBeNegative => _bounds.Least is not { } least || least.Mantissa.Sign < 0;

    private bool MayHaveExponent => !_bounds.IsInteger && _bounds is { Least: null, Greatest: null, Multiple: null };

    private Place? StepDigit(Place p, int digit)
    {
        switch (p.Part)
        {
            case Part.Start or Part.Minus when digit == 0:
                return p with { Part = Part.Zero };
            case Part.Start or Part.Minus or Part.Integer:
                if (p.Digits == _integerDigits) return null;
                return p with
                {
                    Part = Part.Integer,
                    NonZero = true,
                    Digits = p.Digits + 1,
                    ToLeast = Relevant(_bounds.Least, p.Negative) ? Compare(p.ToLeast, digit, _least.Integer, p.Digits) : 0,
                    ToGreatest = Relevant(_bounds.Greatest, p.Negative) ? Compare(p.ToGreatest, digit, _greatest.Integer, p.Digits) : 0,
                    Remainder = (int)((p.Remainder * 10L + digit) % _multiple),
                };
            case Part.Point or Part.Fraction:
                if (p.Digits == _fractionDigits) return null;
                return p with
                {
                    Part = Part.Fraction,
                    NonZero = p.NonZero || digit > 0,
                    Digits = p.Digits + 1,
                    ToLeast = Relevant(_bounds.Least, p.Negative) ? Compare(p.ToLeast, digit, _least.Fraction, p.Digits) : 0,
                    ToGreatest = Relevant(_bounds.Greatest, p.Negative) ? Compare(p.ToGreatest, digit, _greatest.Fraction, p.Digits) : 0,
                    Remainder = (int)((p.Remainder * 10L + digit) % _multiple),
                };
            case Part.Exponent or Part.ExponentSign:
                return p with { Part = Part.ExponentDigits, Digits = 1 };
            case Part.ExponentDigits when p.Digits < MaxExponentDigits:
                return p with { Digits = p.Digits + 1 };
            default:
                return null;
        }
    }

    private bool Accepts(Place p)
    {
        if (p.Part == Part.ExponentDigits) return true;
        if (p.Part is not (Part.Integer or Part.Zero or Part.Fraction) || !IsProper(p)) return false;
        int missing = _multipleScale;
        if (p.Part == Part.Fraction) missing -= p.Digits;
        else p = Resolve(p) with { Part = Part.Fraction, Digits = 0 };
        if (_multiple > 1 && !(p.Remainder * BigInteger.Pow(10, missing) % _multiple).IsZero) return false;
        if (_bounds.Least is { } least)
        {
            bool below = least.Mantissa.Sign < 0;
            int c = Final(p.ToLeast, _least, p.Digits) * (p.Negative ? -1 : 1);
            if (p.Negative != below) c = p.Negative ? -1 : 1;
            if (c < 0 || (c == 0 && _bounds.LeastExclusive)) return false;
        }

        if (_bounds.Greatest is { } greatest)
        {
            bool below = greatest.Mantissa.Sign < 0;
            int c = Final(p.ToGreatest, _greatest, p.Digits) * (p.Negative ? -1 : 1);
            if (p.Negative != below) c = p.Negative ? -1 : 1;
            if (c > 0 || (c == 0 && _bounds.GreatestExclusive)) return false;
        }

        return true;
    }

    /// <summary>Nothing is minus zero.</summary>
    private static bool IsProper(Place p) => !p.Negative || p.NonZero;

    /// <summary>Whether the sign alone does not decide.</summary>
    private static bool Relevant(JsonDecimal? bound, bool negative) => bound is not null && (negative ? bound.Mantissa.Sign < 0 : bound.Mantissa.Sign >= 0);

    /// <summary>The comparison of what was read with as many digits of a bound.</summary>
    private static int Compare(int soFar, int digit, string digits, int place)
        => soFar != 0 ? soFar : digit.CompareTo(place < digits.Length ? digits[place] - '0' : 0);

    /// <summary>Compares the digits before the point: more of them are greater.</summary>
    private Place Resolve(Place p)
        => p with
        {
            ToLeast = Relevant(_bounds.Least, p.Negative) && p.Digits != _least.Integer.Length ? p.Digits.CompareTo(_least.Integer.Length) : p.ToLeast,
            ToGreatest = Relevant(_bounds.Greatest, p.Negative) && p.Digits != _greatest.Integer.Length ? p.Digits.CompareTo(_greatest.Integer.Length) : p.ToGreatest,
        };

    private static int Final(int comparison, Bound bound, int fractionDigits) => comparison == 0 && fractionDigits < bound.Fraction.Length ? -1 : comparison;

    private enum Part
    {
        Start,
        Minus,
        Zero,
        Integer,
        Point,
        Fraction,
        Exponent,
        ExponentSign,
        ExponentDigits,
    }

    /// <summary>The comparisons are of absolute values.</summary>
    private readonly record struct Place(Part Part, bool Negative, bool NonZero, int Digits, int ToLeast, int ToGreatest, int Remainder);

    private sealed class Bound
    {
        internal Bound(JsonDecimal? value) => (Integer, Fraction) = value?.Digits() ?? ("", "");

        internal string Integer { get; }

        internal string Fraction { get; }
    }
}
