using System.Runtime.Intrinsics;
using Hadal.Numerics.Formats;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Kernels;

/// <summary>Keys and values of a head and a block of tokens from their latents (equations 2 and 5), rounded to bfloat16, as <see cref="PromptShape"/> lays them out.</summary>
/// <remarks>The product's FP32 result stays in the second-level cache of the thread that makes it.</remarks>
internal unsafe struct PromptExpansion : ITeamJob
{
    // Unpacked weights have room for so many columns.
    private const int ProductColumns = 256;

    public PromptShape Shape;

    /// <summary>The product of all latents and all heads' weights, without a place for its result.</summary>
    public PanelProblem Product;

    /// <summary>FP32 [keys, rope].</summary>
    public Matrix KRope;

    public KernelForm Form;
    public int FirstHead;

    /// <summary>Blocks of keys.</summary>
    public int Blocks;

    /// <summary>Gets [heads][blocks].</summary>
    public byte* Panels;
    public byte* Workers;
    public nint WorkerBytes;

    /// <summary>Bytes for one thread.</summary>
    public static nint Bytes(in PromptShape shape) => (nint)PromptShape.BlockKeys * shape.ProductStride * sizeof(float) + 16 * RowStride(shape) * sizeof(ushort);

    public readonly void Execute(int item, int worker)
    {
        int head = FirstHead + item / Blocks, first = item % Blocks * PromptShape.BlockKeys, keys = Math.Min(PromptShape.BlockKeys, KRope.Rows - first);
        int output = head * (Shape.Nope + Shape.Value), start = output & ~15, columns = output + Shape.Nope + Shape.Value - start;
        float* kv = (float*)(Workers + worker * WorkerBytes);
        var product = Product;
        product.Left += first * product.LeftStride;
        product.Values += first * product.ValueStride;
        (product.M, product.Ldc) = (keys, Shape.ProductStride);
        for (int column = 0; column < columns; column += ProductColumns)
        {
            product.Right = Product.Right + (start + column) / 16 * product.PanelBytes;
            product.C = kv + column;
            product.N = Math.Min(ProductColumns, columns - column);
            PanelGemm.RunAlone(product, Form);
        }

        byte* panels = Panels + item * Shape.BlockBytes;
        float* rows = kv + (output - start);
        if (Shape.Assembled)
        {
            PackKeys(rows, first, keys, panels, (ushort*)(kv + (nint)PromptShape.BlockKeys * Shape.ProductStride));
            PackValues(rows + Shape.Nope, keys, panels + Shape.KeyBytes);
        }
        else
        {
            WidenKeys(rows, first, keys, (float*)panels);
            WidenValues(rows + Shape.Nope, keys, (float*)(panels + Shape.KeyBytes));
        }
    }

    // No power of two, so that the sixteen rows do not compete for the same cache sets.
    private static int RowStride(in PromptShape shape) => shape.Depth + 32;

    private readonly void PackKeys(float* rows, int first, int keys, byte* panels, ushort* codes)
    {
        int stride = RowStride(Shape);
        nint* starts = stackalloc nint[16];
        for (int r = 0; r < 16; r++) starts[r] = r * stride / 2;
        for (int key = 0; key < keys; key += 16)
        {
            for (int r = 0; r < 16; r++)
            {
                ushort* row = codes + r * stride;
                if (key + r >= keys)
                {
                    new Span<ushort>(row, Shape.Depth).Clear();
                    continue;
                }

                ActivationCoding.Narrow(rows + (nint)(key + r) * Shape.ProductStride, Shape.Nope, row, Shape.Nope);
                ActivationCoding.Narrow(KRope.Row(first + key + r), Shape.Rope, row + Shape.Nope, Shape.Depth - Shape.Nope);
            }

            byte* panel = panels + key / 16 * (nint)Shape.KeyStride;
            for (int pair = 0; pair < Shape.Depth / 2; pair += 16) SquareTranspose.Of16((float*)codes + pair, starts, (float*)panel + pair * 16);
        }
    }

    private readonly void PackValues(float* rows, int keys, byte* panels)
    {
        for (int key = 0; key < (keys + 15 & ~15); key += 2)
        {
            float* row = rows + (nint)key * Shape.ProductStride;
            uint* to = (uint*)(panels + key * 32);
            for (int column = 0; column < Shape.ValueColumns; column += 16, to += Shape.ValueStride / sizeof(uint))
            {
                var even = key < keys ? BFloat16.Rounded(Vector512.Load(row + column)) : Vector512<uint>.Zero;
                var odd = key + 1 < keys ? BFloat16.Rounded(Vector512.Load(row + Shape.ProductStride + column)) : Vector512<uint>.Zero;
                (even | Vector512.ShiftLeft(odd, 16)).Store(to);
            }
        }
    }

    private readonly void WidenKeys(float* rows, int first, int keys, float* to)
    {
        for (int column = 0; column < Shape.Depth; column++)
        {
            float* values = to + (column ^ 1) * PromptShape.ScoreStride;
            for (int key = 0; key < keys; key++)
            {
                values[key] = column < Shape.Nope ? Rounded(rows[(nint)key * Shape.ProductStride + column])
                    : column < Shape.Nope + Shape.Rope ? Rounded(KRope.Row(first + key)[column - Shape.Nope]) : 0;
            }
        }
    }

    private readonly void WidenValues(float* rows, int keys, float* to)
    {
        for (int key = 0; key < (keys + 15 & ~15); key++)
        {
            float* values = to + (key ^ 1) * Shape.ValueColumns;
            for (int column = 0; column < Shape.ValueColumns; column++)
                values[column] = key < keys && column < Shape.Value ? Rounded(rows[(nint)key * Shape.ProductStride + column]) : 0;
        }
    }

    private static float Rounded(float value) => BFloat16.ToSingle(PanelCodes.Narrow(value));
}
