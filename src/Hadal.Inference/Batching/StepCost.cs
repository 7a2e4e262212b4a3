namespace Hadal.Inference.Batching;

/// <summary>What steps have cost lately: a + b·rows seconds for generated rows, and so much more for each row of a prompt.</summary>
/// <remarks>Only when things are computed follows from it, never what: a machine's speed does not change a text.</remarks>
internal sealed class StepCost
{
    private const double Decay = 0.97;
    private double _weight, _rows, _seconds, _rowsSquared, _rowsSeconds;
    private double? _prompt;

    /// <summary>Whether generated rows have been timed.</summary>
    public bool IsKnown => _weight > 0;

    /// <summary>Seconds of a row more; 0 as long as that is unknown.</summary>
    public double PerRow
    {
        get
        {
            double spread = _rowsSquared - _rows * _rows / Math.Max(_weight, 1e-9);
            return spread < 1e-6 * _rowsSquared ? 0 : Math.Max(0, (_rowsSeconds - _rows * _seconds / _weight) / spread);
        }
    }

    /// <summary>Seconds of a row of a prompt; null as long as that is unknown.</summary>
    public double? PerPromptRow => _prompt;

    /// <summary>Seconds of a step of so many generated rows.</summary>
    public double Of(int rows)
    {
        if (!IsKnown) return 0;
        double mean = _seconds / _weight, perRow = PerRow;
        return Math.Max(0.1 * mean, mean + perRow * (rows - _rows / _weight));
    }

    /// <summary>Takes note of a step.</summary>
    /// <param name="rows">Generated rows.</param>
    /// <param name="promptRows">Rows of prompts.</param>
    /// <param name="seconds">What it took.</param>
    public void Add(int rows, int promptRows, double seconds)
    {
        if (promptRows == 0)
        {
            // A step that was interrupted by something else says nothing.
            if (_weight > 5 && seconds > 8 * Of(rows)) return;
            _weight = Decay * _weight + 1;
            _rows = Decay * _rows + rows;
            _seconds = Decay * _seconds + seconds;
            _rowsSquared = Decay * _rowsSquared + (double)rows * rows;
            _rowsSeconds = Decay * _rowsSeconds + rows * seconds;
        }
        else
        {
            double perRow = Math.Max(0.05 * seconds, seconds - (rows > 0 ? Of(rows) : 0)) / promptRows;
            _prompt = _prompt is { } known ? known + 0.3 * (perRow - known) : perRow;
        }
    }
}
