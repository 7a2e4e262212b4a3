using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Kernels;

/// <summary>Cuts a row of running sums to fourteen significant bits, towards zero; the last time, the row goes to its place.</summary>
internal unsafe struct ShortSums : ITeamJob
{
    /// <summary>Products between two cuts: what one instruction of a tensor core adds.</summary>
    public const int Depth = 32;

    // A float has 24 significant bits.
    private const uint Kept = 0xFFFFFFFF << 10;

    public Matrix Sums;

    /// <summary>Where finished sums go; nowhere yet if empty.</summary>
    public Matrix C;

    public bool Accumulate;

    public readonly void Execute(int item, int worker)
    {
        float* sums = Sums.Row(item);
        for (int i = 0; i < Sums.Columns; i++)
        {
            float cut = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(sums[i]) & Kept);
            if (C.IsEmpty) sums[i] = cut;
            else C.Row(item)[i] = Accumulate ? C.Row(item)[i] + cut : cut;
        }
    }
}
