using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Patterns;

/// <summary>What two automata both accept.</summary>
internal static class AutomatonProduct
{
    /// <summary>Accepts every text.</summary>
    internal static CharacterAutomaton All { get; } = new([[CharacterRanges.Last]], [[0]], [true]);

    /// <summary>Accepts no text.</summary>
    internal static CharacterAutomaton None { get; } = new([[CharacterRanges.Last]], [[CharacterAutomaton.Dead]], [false]);

    /// <summary>Texts with a number of characters.</summary>
    /// <param name="least">How many at least.</param>
    /// <param name="greatest">How many at most; <see cref="int.MaxValue"/> for any number.</param>
    /// <param name="limit">How many states there may be.</param>
    internal static CharacterAutomaton OfLength(int least, int greatest, int limit)
    {
        int end = greatest == int.MaxValue ? least : greatest;
        if (end >= limit) throw TooLarge();
        int[][] last = new int[end + 1][], next = new int[end + 1][];
        bool[] accepts = new bool[end + 1];
        for (int s = 0; s <= end; s++)
        {
            last[s] = [CharacterRanges.Last];
            next[s] = [s < end ? s + 1 : greatest == int.MaxValue ? s : CharacterAutomaton.Dead];
            accepts[s] = s >= least;
        }

        return new CharacterAutomaton(last, next, accepts);
    }

    internal static CharacterAutomaton Of(CharacterAutomaton a, CharacterAutomaton b, int limit)
    {
        Dictionary<(int A, int B), int> numbers = new() { [(0, 0)] = 0 };
        List<(int A, int B)> pairs = [(0, 0)];
        List<int[]> last = [], next = [];
        List<bool> accepts = [];
        long work = 0;
        for (int s = 0; s < pairs.Count; s++)
        {
            var (x, y) = pairs[s];
            var (lastA, lastB) = (a.LastOf(x).ToArray(), b.LastOf(y).ToArray());
            List<int> ends = [], targets = [];
            for (int i = 0, j = 0; i < lastA.Length && j < lastB.Length;)
            {
                if (++work > 4_000_000) throw TooLarge();
                int end = Math.Min(lastA[i], lastB[j]);
                var pair = (A: a.NextOf(x)[i], B: b.NextOf(y)[j]);
                int number = CharacterAutomaton.Dead;
                if (pair.A >= 0 && pair.B >= 0 && !numbers.TryGetValue(pair, out number))
                {
                    number = pairs.Count;
                    if (number >= limit) throw TooLarge();
                    numbers.Add(pair, number);
                    pairs.Add(pair);
                }

                ends.Add(end);
                targets.Add(number);
                if (lastA[i] == end) i++;
                if (lastB[j] == end) j++;
            }

            last.Add([.. ends]);
            next.Add([.. targets]);
            accepts.Add(a.Accepts(x) && b.Accepts(y));
        }

        return new CharacterAutomaton([.. last], [.. next], [.. accepts]);
    }

    private static PatternException TooLarge() => new($"together with what else holds, its automaton has more states than the schema may have ({nameof(ConstraintLimits.MaxAutomatonStates)})");
}
