using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Kernels;

/// <content>The scalar form: the contract, element by element.</content>
internal static unsafe partial class PanelGemm
{
    private static void RunReference(in PanelProblem p, in Tile tile)
    {
        for (int m = tile.Row; m < tile.Row + tile.Rows; m++)
        {
            for (int n = tile.Column; n < tile.Column + tile.Columns; n++)
            {
                float* c = p.C + m * p.Ldc + n;
                *c = Element(p, m, n, p.Accumulate ? *c : 0);
            }
        }
    }

    private static float Element(in PanelProblem p, int m, int n, float c)
    {
        var format = p.Format;
        if (format.InTiles) return ElementInTiles(p, m, n, c);
        byte* left = p.Left + m * p.LeftStride;
        for (int b = 0; b < p.Blocks; b++)
        {
            byte* panel = p.Right + n / 16 * p.PanelBytes, block = panel + format.Offset(b);
            int column = n % 16;
            if (format.HasByteActivations)
            {
                int sum = 0;
                for (int k = 0; k < format.Block; k++) sum += (int)PanelCodes.Value(format, block, k, column) * ((sbyte*)left)[b * format.Block + k];
                c = Scaled(p, m, b, panel, column, sum, c);
                continue;
            }

            if (format.HasSingleActivations)
            {
                float* values = (float*)left + b * format.Block;
                for (int k = 0; k < format.Block; k++) c = MathF.FusedMultiplyAdd(values[k], PanelCodes.Value(format, block, k, column), c);
                continue;
            }

            float dot = format.ScaleSize == 0 ? c : 0;
            var codes = (ushort*)left + b * format.Block;
            for (int k = 0; k < format.Block; k += 2)
            {
                dot = MathF.FusedMultiplyAdd(BFloat16.ToSingle(codes[k + 1]), PanelCodes.Value(format, block, k + 1, column), dot);
                dot = MathF.FusedMultiplyAdd(BFloat16.ToSingle(codes[k]), PanelCodes.Value(format, block, k, column), dot);
            }

            c = format.ScaleSize == 0 ? dot : Scaled(p, m, b, panel, column, dot, c);
        }

        return c;
    }

    private static float Scaled(in PanelProblem p, int m, int b, byte* panel, int column, float dot, float c)
    {
        var values = p.Values[m * p.ValueStride + b];
        c = MathF.FusedMultiplyAdd(dot, PanelCodes.Scale(p.Format, panel, b, column) * values.Scale, c);
        return p.Format.HasMinimum ? MathF.FusedMultiplyAdd(-PanelCodes.Minimum(p.Format, panel, b, column), values.Sum, c) : c;
    }
}
