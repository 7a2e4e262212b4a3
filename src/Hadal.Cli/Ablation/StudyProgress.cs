using Hadal.Training.Studies;

namespace Hadal.Cli.Ablation;

/// <summary>How far a study is, and how long the rest will take at the speed seen so far.</summary>
/// <param name="runs">All runs, in order.</param>
internal sealed class StudyProgress(IReadOnlyList<StudyRun> runs)
{
    private readonly Dictionary<string, double> _secondsPerToken = new(StringComparer.Ordinal);
    private readonly long[] _left = [.. runs.Select(r => r.Run.Tokens)];

    /// <summary>Takes note of how many tokens of a run are done.</summary>
    /// <param name="run">Place of the run.</param>
    /// <param name="tokens">Tokens done.</param>
    public void Done(int run, long tokens) => _left[run] = Math.Max(0, runs[run].Run.Tokens - tokens);

    /// <summary>Takes note that nothing of a run is left to do.</summary>
    /// <param name="run">Place of the run.</param>
    public void Ended(int run) => _left[run] = 0;

    /// <summary>Takes note of the speed of a variant.</summary>
    /// <param name="variant">Its name.</param>
    /// <param name="secondsPerToken">Seconds of a token.</param>
    public void Measured(string variant, double secondsPerToken)
    {
        if (double.IsFinite(secondsPerToken)) _secondsPerToken[variant] = secondsPerToken;
    }

    /// <summary>Time that is left; a variant not seen yet counts as fast as the mean of the others; null before any was seen.</summary>
    public TimeSpan? Left
    {
        get
        {
            if (_secondsPerToken.Count == 0) return null;
            double usual = _secondsPerToken.Values.Average(), seconds = 0;
            for (int i = 0; i < _left.Length; i++) seconds += _left[i] * _secondsPerToken.GetValueOrDefault(runs[i].Variant.Name, usual);
            return seconds < 1e9 ? TimeSpan.FromSeconds(seconds) : null;
        }
    }
}
