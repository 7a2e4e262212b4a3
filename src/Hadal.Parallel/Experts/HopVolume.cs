namespace Hadal.Parallel.Experts;

/// <summary>What one rank has sent to others on one hop for one kind of carriage; what stays with it does not count.</summary>
internal sealed class HopVolume
{
    /// <summary>Rows that were sent, counted for each rank that they went to.</summary>
    public long Copies { get; private set; }

    /// <summary>Their bytes: copies times the size of a row as it travels.</summary>
    public long RowBytes { get; private set; }

    /// <summary>Bytes sent beside rows: how many rows come, which experts each wants and with which gate weights, and gradients for these.</summary>
    public long BesideBytes { get; private set; }

    /// <summary>Counts rows.</summary>
    public void AddRows(long copies, long rowBytes)
    {
        Copies += copies;
        RowBytes += copies * rowBytes;
    }

    /// <summary>Counts something else.</summary>
    public void AddBeside(long bytes) => BesideBytes += bytes;
}
