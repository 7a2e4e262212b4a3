namespace Hadal.Cli.Drawing;

/// <summary>
/// The losses of a run of any length in a fixed amount of memory: means of equally long stretches, which double in length when the room is full.
/// </summary>
internal sealed class LossHistory
{
    private const int Room = 512;
    private readonly double[] _means = new double[Room];
    private int _full;
    private long _stretch = 1;
    private double _sum;
    private long _counted;

    /// <summary>Means in the order of the steps; the last may be of a stretch that is still being filled.</summary>
    public int Count => _full + (_counted > 0 ? 1 : 0);

    /// <summary>A mean.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1.</param>
    public double this[int index] => index < _full ? _means[index] : _sum / _counted;

    /// <summary>Adds the loss of the next step; one that is not finite leaves the curve as it is.</summary>
    /// <param name="loss">The loss.</param>
    public void Add(double loss)
    {
        if (!double.IsFinite(loss)) return;
        _sum += loss;
        _counted++;
        if (_counted < _stretch) return;
        if (_full == Room)
        {
            for (int i = 0; i < Room / 2; i++) _means[i] = (_means[2 * i] + _means[2 * i + 1]) / 2;
            _full = Room / 2;
            _stretch *= 2;
            // The stretch just filled is now half of one: it stays in the sum.
            return;
        }

        _means[_full++] = _sum / _counted;
        _sum = 0;
        _counted = 0;
    }
}
