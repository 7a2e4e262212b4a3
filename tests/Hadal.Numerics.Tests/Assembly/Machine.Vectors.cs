using System.Runtime.InteropServices;
using Iced.Intel;

namespace Hadal.Numerics.Tests.Assembly;

/// <content>Vector instructions: an operand is read as a whole, then lane after lane is computed.</content>
internal sealed unsafe partial class Machine
{
    private void ExecuteVector(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Vmovups or Mnemonic.Vmovdqu or Mnemonic.Vmovdqa or Mnemonic.Vmovdqu32 or Mnemonic.Vmovdqu64 or Mnemonic.Vmovdqa64:
                Write(i, Read(i, 1));
                break;
            case Mnemonic.Vpxord or Mnemonic.Vxorps:
                Lanes<ulong>(i, (a, b) => a ^ b);
                break;
            case Mnemonic.Vpandd or Mnemonic.Vpand:
                Lanes<ulong>(i, (a, b) => a & b);
                break;
            case Mnemonic.Vpaddd:
                Lanes<int>(i, (a, b) => unchecked(a + b));
                break;
            case Mnemonic.Vmulps:
                Lanes<float>(i, (a, b) => a * b);
                break;
            case Mnemonic.Vpmaddwd:
                Lanes<uint>(i, (a, b) => (uint)unchecked((short)a * (short)b + (short)(a >> 16) * (short)(b >> 16)));
                break;
            case Mnemonic.Vpsrlw:
                int right = (int)i.GetImmediate(2);
                OneByOne<ushort>(i, a => (ushort)(a >> right));
                break;
            case Mnemonic.Vpsllw:
                int left = (int)i.GetImmediate(2);
                OneByOne<ushort>(i, a => (ushort)(a << left));
                break;
            case Mnemonic.Vpsraw:
                int signed = (int)i.GetImmediate(2);
                OneByOne<short>(i, a => (short)(a >> signed));
                break;
            case Mnemonic.Vpslld:
                int doubles = (int)i.GetImmediate(2);
                OneByOne<uint>(i, a => a << doubles);
                break;
            case Mnemonic.Vcvtdq2ps:
                OneByOne<uint>(i, a => BitConverter.SingleToUInt32Bits((int)a));
                break;
            case Mnemonic.Vbroadcastss or Mnemonic.Vpbroadcastd:
                uint value = i.Op1Kind == OpKind.Register ? (uint)_general[Index(i.Op1Register)] : *(uint*)Memory.At(Address(i), 4);
                byte[] all = new byte[i.Op0Register.GetSize()];
                MemoryMarshal.Cast<byte, uint>(all.AsSpan()).Fill(value);
                Write(i, all);
                break;
            case Mnemonic.Vfmadd213ps:
                Chained<float>(i, (d, b, c) => MathF.FusedMultiplyAdd(b, d, c));
                break;
            case Mnemonic.Vfmadd231ps:
                Chained<float>(i, (d, b, c) => MathF.FusedMultiplyAdd(b, c, d));
                break;
            case Mnemonic.Vfnmadd231ps:
                Chained<float>(i, (d, b, c) => MathF.FusedMultiplyAdd(-b, c, d));
                break;
            case Mnemonic.Vpdpbusd:
                Chained<int>(i, DotBytes);
                break;
            case Mnemonic.Vdpbf16ps:
                Chained<uint>(i, DotPairs);
                break;
            case Mnemonic.Vpternlogd:
                int table = (int)i.GetImmediate(3);
                Chained<uint>(i, (a, b, c) => Ternary(a, b, c, table));
                break;
            case Mnemonic.Vpermi2b:
                LookUp(i);
                break;
            case Mnemonic.Vpunpcklbw or Mnemonic.Vpunpckhbw:
                Interleave(i, i.Mnemonic == Mnemonic.Vpunpckhbw ? 8 : 0);
                break;
            case Mnemonic.Vpermq:
                byte[] quads = Read(i, 1), permuted = new byte[32];
                for (int q = 0; q < 4; q++) quads.AsSpan(((int)i.GetImmediate(2) >> 2 * q & 3) * 8, 8).CopyTo(permuted.AsSpan(q * 8));
                Write(i, permuted);
                break;
            case Mnemonic.Vextracti128:
                Write(i, Read(i, 1)[((int)i.GetImmediate(2) * 16)..((int)i.GetImmediate(2) * 16 + 16)]);
                break;
            case Mnemonic.Vcvtph2ps:
                byte[] halves = Read(i, 1), singles = new byte[i.Op0Register.GetSize()];
                for (int n = 0; n < singles.Length / 4; n++) BitConverter.TryWriteBytes(singles.AsSpan(4 * n), (float)MemoryMarshal.Cast<byte, Half>(halves.AsSpan())[n]);
                Write(i, singles);
                break;
            default:
                throw new InvalidOperationException($"Cannot interpret {i}.");
        }
    }

    // Unsigned bytes of the second operand, signed bytes of the third.
    private static int DotBytes(int sum, int unsigned, int signed)
    {
        for (int n = 0; n < 32; n += 8) sum = unchecked(sum + (byte)(unsigned >> n) * (sbyte)(signed >> n));
        return sum;
    }

    // The upper pair first, the lower next, each fused and rounded to nearest; subnormal operands and results are zero.
    private static uint DotPairs(uint sum, uint b, uint c)
    {
        float total = Flush(sum);
        total = Flush(MathF.FusedMultiplyAdd(Flush(b & 0xFFFF0000), Flush(c & 0xFFFF0000), total));
        return BitConverter.SingleToUInt32Bits(Flush(MathF.FusedMultiplyAdd(Flush(b << 16), Flush(c << 16), total)));
    }

    internal static float Flush(uint bits) => BitConverter.UInt32BitsToSingle((bits & 0x7F800000) == 0 ? bits & 0x80000000 : bits);

    internal static float Flush(float value) => Flush(BitConverter.SingleToUInt32Bits(value));

    private static uint Ternary(uint a, uint b, uint c, int table)
    {
        uint result = 0;
        for (int bit = 0; bit < 32; bit++)
        {
            int place = (int)(a >> bit & 1) << 2 | (int)(b >> bit & 1) << 1 | (int)(c >> bit & 1);
            result |= (uint)(table >> place & 1) << bit;
        }

        return result;
    }

    // The destination holds places in the 128 bytes of the other two.
    private void LookUp(in Instruction i)
    {
        byte[] places = Read(i, 0), table = [.. Read(i, 1), .. Read(i, 2)];
        Write(i, [.. places.Select(p => table[p & 127])]);
    }

    // Within each sixteen bytes.
    private void Interleave(in Instruction i, int from)
    {
        byte[] a = Read(i, 1), b = Read(i, 2), result = new byte[a.Length];
        for (int n = 0; n < a.Length; n++) result[n] = (n % 2 == 0 ? a : b)[n / 16 * 16 + from + n % 16 / 2];
        Write(i, result);
    }

    private void OneByOne<T>(in Instruction i, Func<T, T> function) where T : unmanaged
    {
        byte[] source = Read(i, 1);
        foreach (ref var lane in MemoryMarshal.Cast<byte, T>(source.AsSpan())) lane = function(lane);
        Write(i, source);
    }

    private void Lanes<T>(in Instruction i, Func<T, T, T> function) where T : unmanaged
    {
        byte[] first = Read(i, 1), second = Read(i, 2);
        var a = MemoryMarshal.Cast<byte, T>(first.AsSpan());
        var b = MemoryMarshal.Cast<byte, T>(second.AsSpan());
        for (int n = 0; n < a.Length; n++) a[n] = function(a[n], b[n]);
        Write(i, first);
    }

    private void Chained<T>(in Instruction i, Func<T, T, T, T> function) where T : unmanaged
    {
        byte[] zeroth = Read(i, 0), first = Read(i, 1), second = Read(i, 2);
        var d = MemoryMarshal.Cast<byte, T>(zeroth.AsSpan());
        var a = MemoryMarshal.Cast<byte, T>(first.AsSpan());
        var b = MemoryMarshal.Cast<byte, T>(second.AsSpan());
        for (int n = 0; n < d.Length; n++) d[n] = function(d[n], a[n], b[n]);
        Write(i, zeroth);
    }

    private static int VectorIndex(Register register) =>
        register >= Register.ZMM0 ? register - Register.ZMM0 : register >= Register.YMM0 ? register - Register.YMM0 : register - Register.XMM0;

    private byte[] Read(in Instruction i, int operand)
    {
        if (i.GetOpKind(operand) == OpKind.Register)
        {
            var register = i.GetOpRegister(operand);
            return _vectors.AsSpan(VectorIndex(register) * 64, register.GetSize()).ToArray();
        }

        if (!i.IsBroadcast) return new ReadOnlySpan<byte>(Memory.At(Address(i), i.MemorySize.GetSize()), i.MemorySize.GetSize()).ToArray();
        byte[] all = new byte[i.Op0Register.GetSize()];
        MemoryMarshal.Cast<byte, uint>(all.AsSpan()).Fill(*(uint*)Memory.At(Address(i), 4));
        return all;
    }

    // What lies above a register that is written becomes zero.
    private void Write(in Instruction i, byte[] value)
    {
        if (i.Op0Kind == OpKind.Memory)
        {
            value.CopyTo(new Span<byte>(Memory.At(Address(i), value.Length), value.Length));
            return;
        }

        var register = _vectors.AsSpan(VectorIndex(i.Op0Register) * 64, 64);
        register.Clear();
        value.CopyTo(register);
    }
}
