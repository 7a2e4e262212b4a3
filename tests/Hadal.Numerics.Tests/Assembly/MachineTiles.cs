using System.Buffers.Binary;

namespace Hadal.Numerics.Tests.Assembly;

/// <summary>
/// Eight tiles as Intel's Software Developer's Manual defines them (volume 1, chapter on AMX; volume 2, LDTILECFG to TILEZERO): a configuration of palette 1 gives each some
/// rows of some bytes; what lies outside is zero. Conditions under which the processor faults are exceptions.
/// </summary>
internal sealed unsafe class MachineTiles
{
    public const int Count = 8, MaxRows = 16, MaxRowBytes = 64;

    private readonly byte[][] _data = [.. Enumerable.Range(0, Count).Select(_ => new byte[MaxRows * MaxRowBytes])];
    private readonly int[] _rows = new int[Count], _rowBytes = new int[Count];

    /// <summary>Whether a configuration is in force.</summary>
    public bool IsConfigured { get; private set; }

    public void Configure(ReadOnlySpan<byte> configuration)
    {
        Release();
        Require(configuration[0] <= 1, "there is no such palette");
        if (configuration[0] == 0) return;
        Require(configuration[2..16].IndexOfAnyExcept((byte)0) < 0 && configuration[32..48].IndexOfAnyExcept((byte)0) < 0 && configuration[56..].IndexOfAnyExcept((byte)0) < 0, "reserved bytes are not zero");
        for (int i = 0; i < Count; i++)
        {
            (_rows[i], _rowBytes[i]) = (configuration[48 + i], BinaryPrimitives.ReadUInt16LittleEndian(configuration[(16 + 2 * i)..]));
            Require(_rows[i] <= MaxRows && _rowBytes[i] <= MaxRowBytes && _rows[i] == 0 == (_rowBytes[i] == 0), $"tile {i} has {_rows[i]} rows of {_rowBytes[i]} bytes");
        }

        IsConfigured = true;
    }

    public void Release()
    {
        IsConfigured = false;
        for (int i = 0; i < Count; i++)
        {
            Array.Clear(_data[i]);
            (_rows[i], _rowBytes[i]) = (0, 0);
        }
    }

    public void Zero(int tile)
    {
        RequireUsable(tile);
        Array.Clear(_data[tile]);
    }

    public void Load(int tile, MachineMemory memory, ulong start, ulong stride)
    {
        Zero(tile);
        for (int row = 0; row < _rows[tile]; row++)
            new ReadOnlySpan<byte>(memory.At(start + (ulong)row * stride, _rowBytes[tile]), _rowBytes[tile]).CopyTo(_data[tile].AsSpan(row * MaxRowBytes));
    }

    public void Store(int tile, MachineMemory memory, ulong start, ulong stride)
    {
        RequireUsable(tile);
        for (int row = 0; row < _rows[tile]; row++)
            _data[tile].AsSpan(row * MaxRowBytes, _rowBytes[tile]).CopyTo(new Span<byte>(memory.At(start + (ulong)row * stride, _rowBytes[tile]), _rowBytes[tile]));
    }

    /// <summary>TDPBSSD, TDPBSUD, TDPBUSD, TDPBUUD: a 32-bit sum of four products of bytes for each group of four k, wrapping around.</summary>
    public void DotBytes(int sum, int left, int right, bool leftSigned, bool rightSigned)
    {
        RequireProduct(sum, left, right);
        for (int m = 0; m < _rows[sum]; m++)
        {
            for (int n = 0; n < _rowBytes[sum] / 4; n++)
            {
                var place = _data[sum].AsSpan(m * MaxRowBytes + 4 * n, 4);
                int total = BinaryPrimitives.ReadInt32LittleEndian(place);
                for (int k = 0; k < _rowBytes[left]; k++)
                {
                    byte a = _data[left][m * MaxRowBytes + k], b = _data[right][k / 4 * MaxRowBytes + 4 * n + k % 4];
                    total = unchecked(total + (leftSigned ? (sbyte)a : a) * (rightSigned ? (sbyte)b : b));
                }

                BinaryPrimitives.WriteInt32LittleEndian(place, total);
            }
        }
    }

    /// <summary>
    /// TDPBF16PS: of the pairs of a row and a column the even and the odd ones are summed apart, fused and from zero; then both are added, and the sum to C. Subnormals are zero
    /// on the way in and out.
    /// </summary>
    public void DotPairs(int sum, int left, int right)
    {
        RequireProduct(sum, left, right);
        for (int m = 0; m < _rows[sum]; m++)
        {
            for (int n = 0; n < _rowBytes[sum] / 4; n++)
            {
                float even = 0, odd = 0;
                for (int k = 0; k < _rowBytes[left] / 4; k++)
                {
                    uint a = BinaryPrimitives.ReadUInt32LittleEndian(_data[left].AsSpan(m * MaxRowBytes + 4 * k)), b = BinaryPrimitives.ReadUInt32LittleEndian(_data[right].AsSpan(k * MaxRowBytes + 4 * n));
                    even = Machine.Flush(MathF.FusedMultiplyAdd(Machine.Flush(a << 16), Machine.Flush(b << 16), even));
                    odd = Machine.Flush(MathF.FusedMultiplyAdd(Machine.Flush(a & 0xFFFF0000), Machine.Flush(b & 0xFFFF0000), odd));
                }

                var place = _data[sum].AsSpan(m * MaxRowBytes + 4 * n, 4);
                float before = Machine.Flush(BinaryPrimitives.ReadUInt32LittleEndian(place));
                BinaryPrimitives.WriteSingleLittleEndian(place, Machine.Flush(before + Machine.Flush(even + odd)));
            }
        }
    }

    private void RequireProduct(int sum, int left, int right)
    {
        foreach (int tile in new[] { sum, left, right }) RequireUsable(tile);
        Require(sum != left && sum != right && left != right, "a product's tiles are not three");
        Require(_rows[sum] == _rows[left] && _rowBytes[sum] == _rowBytes[right] && _rowBytes[left] == 4 * _rows[right] && _rowBytes[sum] % 4 == 0, "a product's tiles do not fit together");
    }

    private void RequireUsable(int tile) => Require(IsConfigured && _rows[tile] > 0, $"tile {tile} is not configured");

    private static void Require(bool condition, string what)
    {
        if (!condition) throw new InvalidOperationException($"The processor would fault: {what}.");
    }
}
