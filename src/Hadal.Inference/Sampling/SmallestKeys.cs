namespace Hadal.Inference.Sampling;

/// <summary>Selection without a full sort.</summary>
internal static class SmallestKeys
{
    /// <summary>The n-th smallest of distinct keys (n from 1); reorders them. Quickselect with the median of three, linear on average.</summary>
    public static ulong Nth(Span<ulong> keys, int n)
    {
        int low = 0, high = keys.Length - 1, target = n - 1;
        while (high - low > 16)
        {
            ulong pivot = Median(keys[low], keys[(low + high) >>> 1], keys[high]);
            int i = low, j = high;
            while (i <= j)
            {
                while (keys[i] < pivot) i++;
                while (keys[j] > pivot) j--;
                if (i > j) break;
                (keys[i], keys[j]) = (keys[j], keys[i]);
                i++;
                j--;
            }

            if (target <= j) high = j;
            else if (target >= i) low = i;
            else return keys[target];
        }

        keys.Slice(low, high - low + 1).Sort();
        return keys[target];
    }

    private static ulong Median(ulong a, ulong b, ulong c) => Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));
}
