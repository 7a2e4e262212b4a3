using Hadal.Model.Configuration;

namespace Hadal.Model.Rotary;

/// <summary>Cosines and sines of the rotary embedding, plain or stretched by YaRN, for the positions asked for so far.</summary>
/// <remarks>
/// <para>Pair i of width r turns by position · f_i, where plain f_i = θ^(-2i/r). YaRN keeps f_i for pairs that turn often within the original context,
/// divides it by s for those that turn seldom, and blends linearly between: f_i·(1 - ramp_i) + (f_i/s)·ramp_i, with
/// ramp_i = clamp((i - low)/(high - low), 0, 1).</para>
/// <para>Frequencies and angles are rounded to FP32 as the published inference code rounds them, because the released weights were trained that way:
/// at position 131,071 the rounded angle alone moves a cosine by 0.001. Cosine and sine of the rounded angle are then exact to FP32.</para>
/// <para>Safe to use from several threads at once.</para>
/// </remarks>
public sealed class RotaryTable
{
    /// <summary>Positions that FP32 can count one by one.</summary>
    public const int MostPositions = 1 << 24;

    private readonly Lock _growing = new();
    private readonly float[] _frequencies;
    private readonly double[] _exactFrequencies;
    private volatile Table _table = new(0, [], []);

    /// <summary>The table of a configuration, without positions yet.</summary>
    /// <param name="config">A valid configuration.</param>
    public RotaryTable(ModelConfig config)
        : this((config ?? throw new ArgumentNullException(nameof(config))).RopeWidth, config.RopeTheta, config.Yarn)
    {
    }

    /// <summary>A table without positions yet.</summary>
    /// <param name="width">Rotary dimensions of a head, r; even.</param>
    /// <param name="theta">Base of the frequencies, above 1.</param>
    /// <param name="yarn">The extension; null for plain rotary embedding.</param>
    public RotaryTable(int width, double theta, YarnScaling? yarn = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 2);
        ArgumentOutOfRangeException.ThrowIfNotEqual(width % 2, 0);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(theta, 1);
        Pairs = width / 2;
        Scale = yarn?.RotaryScale ?? 1;
        _frequencies = new float[Pairs];
        _exactFrequencies = new double[Pairs];
        for (int i = 0; i < Pairs; i++)
        {
            _exactFrequencies[i] = 1 / Math.Pow(theta, 2.0 * i / width);
            _frequencies[i] = 1 / (float)Math.Pow((float)theta, (float)(2 * i) / width);
        }

        if (yarn is not { Factor: > 1 }) return;
        CorrectionRange = RangeOf(width, theta, yarn);
        Stretch(yarn.Factor, CorrectionRange.Value);
    }

    /// <summary>Rotary pairs of a head: r/2.</summary>
    public int Pairs { get; }

    /// <summary>Factor that is already in the cosines and sines: m(s, mscale) / m(s, mscale_all_dim), 1 for the released models.</summary>
    public double Scale { get; }

    /// <summary>The first and last pair of YaRN's blend; null without YaRN.</summary>
    public (int Low, int High)? CorrectionRange { get; }

    /// <summary>Radians per position for each pair, computed in FP32 as the published code does; what the table is made of.</summary>
    public ReadOnlySpan<float> Frequencies => _frequencies;

    /// <summary>Radians per position for each pair, computed in FP64.</summary>
    public ReadOnlySpan<double> ExactFrequencies => _exactFrequencies;

    /// <summary>Positions in the table: at least as many as <see cref="Reserve"/> was asked for.</summary>
    public int Positions => _table.Positions;

    /// <summary>[<see cref="Positions"/>, <see cref="Pairs"/>] cosines. A span taken before the table grows stays valid.</summary>
    public ReadOnlySpan<float> Cosines => _table.Cosines;

    /// <summary>[<see cref="Positions"/>, <see cref="Pairs"/>] sines. A span taken before the table grows stays valid.</summary>
    public ReadOnlySpan<float> Sines => _table.Sines;

    /// <summary>Makes the table long enough; it grows by half at least.</summary>
    /// <param name="positions">Positions 0 … positions - 1 will be there; at most <see cref="MostPositions"/>.</param>
    public void Reserve(int positions)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(positions);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(positions, MostPositions);
        if (_table.Positions >= positions) return;
        lock (_growing)
        {
            var old = _table;
            if (old.Positions >= positions) return;
            int count = Math.Min(MostPositions, Math.Max(Math.Max(positions, 64), old.Positions + old.Positions / 2));
            var table = new Table(count, new float[(long)count * Pairs], new float[(long)count * Pairs]);
            old.Cosines.CopyTo(table.Cosines, 0);
            old.Sines.CopyTo(table.Sines, 0);
            Fill(old.Positions, table.Cosines.AsSpan(old.Cosines.Length), table.Sines.AsSpan(old.Sines.Length));
            _table = table;
        }
    }

    /// <summary>Computes rows without keeping them.</summary>
    /// <param name="firstPosition">Position of the first row.</param>
    /// <param name="cosines">Receives [rows, <see cref="Pairs"/>] cosines.</param>
    /// <param name="sines">Receives as many sines.</param>
    public void Fill(int firstPosition, Span<float> cosines, Span<float> sines)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstPosition);
        ArgumentOutOfRangeException.ThrowIfNotEqual(sines.Length, cosines.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(cosines.Length % Pairs, 0);
        for (int row = 0; row < cosines.Length / Pairs; row++)
        {
            float position = firstPosition + row;
            for (int i = 0; i < Pairs; i++)
            {
                float angle = position * _frequencies[i];
                var (sin, cos) = Math.SinCos(angle);
                cosines[row * Pairs + i] = (float)(cos * Scale);
                sines[row * Pairs + i] = (float)(sin * Scale);
            }
        }
    }

    // dim(n) = r · ln(L₀ / (2πn)) / (2 ln θ) is the pair, counted in FP64, that turns n times within the original context L₀.
    private static (int Low, int High) RangeOf(int width, double theta, YarnScaling yarn)
    {
        double Dimension(double turns) => width * Math.Log(yarn.OriginalMaxPositions / (turns * 2 * Math.PI)) / (2 * Math.Log(theta));
        double low = Math.Max(Math.Floor(Dimension(yarn.BetaFast)), 0);
        double high = Math.Min(Math.Ceiling(Dimension(yarn.BetaSlow)), width - 1);
        return ((int)Math.Min(low, int.MaxValue), (int)Math.Max(high, int.MinValue));
    }

    private void Stretch(double factor, (int Low, int High) range)
    {
        // A ramp of no width would divide by zero; the published code widens it by this much.
        double width = range.Low == range.High ? 0.001 : (double)range.High - range.Low;
        for (int i = 0; i < Pairs; i++)
        {
            double ramp = Math.Clamp((i - (double)range.Low) / width, 0, 1);
            _exactFrequencies[i] = _exactFrequencies[i] / factor * ramp + _exactFrequencies[i] * (1 - ramp);

            float keep = 1 - Math.Clamp((i - (float)range.Low) / (float)width, 0f, 1f);
            float slowed = _frequencies[i] / (float)factor * (1 - keep);
            float kept = _frequencies[i] * keep;
            _frequencies[i] = slowed + kept;
        }
    }

    private sealed record Table(int Positions, float[] Cosines, float[] Sines);
}
