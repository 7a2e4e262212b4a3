namespace Hadal.Inference.Batching;

/// <summary>What steps have cost lately: a + b·rows seconds for generated rows; and how long a piece of a prompt may be so that a step beside them stays short.</summary>
/// <remarks>Only when things are computed follows from it, never what: a machine's speed does not change a text.</remarks>
internal sealed class StepCost
{
    private const double Decay = 0.9;
    private const int Fresh = 32;
    private const double LeastPiece = 16, MostPiece = 1 << 16;
    private double _weight, _rows, _seconds, _rowsSquared, _rowsSeconds;
    private double _piece = 64;
    private int _timedRows, _sinceTimed;

    /// <summary>Whether generated rows have been timed.</summary>
    public bool IsKnown => _weight > 0;

    /// <summary>Seconds of a row more; 0 as long as that is unknown.</summary>
    public double PerRow
    {
        get
        {
            double spread = _rowsSquared - _rows * _rows / Math.Max(_weight, 1e-9);
            return spread < 1e-4 * _rowsSquared ? 0 : Math.Max(0, (_rowsSeconds - _rows * _seconds / _weight) / spread);
        }
    }

    /// <summary>Rows of a prompt that a step beside generated rows has room for.</summary>
    public int PieceRows => (int)_piece;

    /// <summary>Whether steps of about so many generated rows have not been timed without prompts lately, so that one should be.</summary>
    public bool NeedsTiming(int rows) => _sinceTimed >= Fresh || Math.Abs(rows - _timedRows) > 0.25 * _timedRows;

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
    /// <param name="stretch">How many times as long as without the rows of prompts it may take.</param>
    public void Add(int rows, int promptRows, double seconds, double stretch)
    {
        if (promptRows > 0)
        {
            _sinceTimed++;
            if (rows > 0 && IsKnown) Adjust(promptRows, seconds / Of(rows), stretch);
            return;
        }

        (_timedRows, _sinceTimed) = (rows, 0);

        // A step that was interrupted by something else says nothing.
        if (_weight > 5 && seconds > 8 * Of(rows)) return;
        _weight = Decay * _weight + 1;
        _rows = Decay * _rows + rows;
        _seconds = Decay * _seconds + seconds;
        _rowsSquared = Decay * _rowsSquared + (double)rows * rows;
        _rowsSeconds = Decay * _rowsSeconds + rows * seconds;
    }

    // A piece costs something however short it is, so what fits is found by trying and not by dividing: shorter at once when a step was too long, longer
    // bit by bit while there is room, if pieces are as long as they may be.
    private void Adjust(int promptRows, double taken, double stretch)
    {
        if (taken > stretch) _piece *= Math.Max(0.6, stretch / taken);
        else if (promptRows >= 0.9 * (int)_piece) _piece *= Math.Min(1.1, 1 + 0.3 * (stretch / taken - 1));
        _piece = Math.Clamp(_piece, LeastPiece, MostPiece);
    }
}
