using CsCheck;
using Hadal.Numerics.Kernels;

namespace Hadal.Numerics.Tests.Kernels;

public sealed unsafe class TopKTests
{
    // Few different values, so that ties, infinities and NaN meet often.
    private static readonly Gen<float> _value = Gen.OneOf(
        Gen.Int[-3, 3].Select(i => (float)i), Gen.Int[0, 4].Select(i => new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0f, -0f }[i]), Gen.Float[-1, 1]);

    [Fact]
    public void The_best_places_come_in_order_with_the_lower_place_first_among_equals_and_NaN_last() =>
        Gen.Select(_value.Array[1, 70], Gen.Int[1, 12]).Sample((values, wanted) =>
        {
            int count = Math.Min(wanted, values.Length);
            int[] expected = [.. Enumerable.Range(0, values.Length).OrderBy(i => float.IsNaN(values[i])).ThenByDescending(i => float.IsNaN(values[i]) ? 0 : values[i] + 0f).ThenBy(i => i).Take(count)];
            int* places = stackalloc int[count];
            fixed (float* v = values) RouteKernel.TopK(v, values.Length, count, places);
            Assert.Equal(expected, new Span<int>(places, count).ToArray());
        });
}
