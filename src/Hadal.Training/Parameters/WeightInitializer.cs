using System.Buffers;
using System.Text;
using Hadal.Numerics;

namespace Hadal.Training.Parameters;

/// <summary>Fresh weights: matrices from N(0, σ²), norm weights 1 (report section 4.2).</summary>
/// <remarks>Every parameter has its own random stream, seeded by run seed and name: adding a layer changes no other.</remarks>
internal static class WeightInitializer
{
    public static void Initialize(IBackend backend, IEnumerable<NamedParameter> parameters, ulong seed, double deviation)
    {
        float[] buffer = ArrayPool<float>.Shared.Rent(1 << 16);
        foreach (var (name, value) in parameters)
        {
            var weight = value.Weight;
            bool vector = weight.Shape.Rank == 1;
            var random = new NormalStream(seed ^ Hash(name));
            var rows = weight.Reshape(new Shape(weight.Count, 1));
            for (long first = 0; first < weight.Count; first += buffer.Length)
            {
                var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, weight.Count - first));
                if (vector) part.Fill(1);
                else foreach (ref float v in part) v = (float)(random.Next() * deviation);
                backend.Write(part, rows.RowRange(first, part.Length));
            }
        }

        ArrayPool<float>.Shared.Return(buffer);
    }

    // FNV-1a, 64 bits.
    private static ulong Hash(string name)
    {
        ulong hash = 14695981039346656037;
        foreach (byte b in Encoding.UTF8.GetBytes(name)) hash = (hash ^ b) * 1099511628211;
        return hash;
    }

    /// <summary>Standard normal numbers: SplitMix64 through the polar form of Box and Muller.</summary>
    private struct NormalStream(ulong seed)
    {
        private ulong _state = seed;
        private double _spare = double.NaN;

        public double Next()
        {
            if (!double.IsNaN(_spare))
            {
                double spare = _spare;
                _spare = double.NaN;
                return spare;
            }

            while (true)
            {
                double u = 2 * Uniform() - 1, v = 2 * Uniform() - 1, s = u * u + v * v;
                if (s is >= 1 or 0) continue;
                double factor = Math.Sqrt(-2 * Math.Log(s) / s);
                _spare = v * factor;
                return u * factor;
            }
        }

        private double Uniform()
        {
            ulong z = _state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
        }
    }
}
