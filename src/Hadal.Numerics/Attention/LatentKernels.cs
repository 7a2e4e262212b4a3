using Hadal.Numerics.Assembly;

namespace Hadal.Numerics.Kernels;

/// <summary>The assembled kernels of latent attention, each written on first use.</summary>
internal static unsafe class LatentKernels
{
    private static readonly Lock _gate = new();
    private static readonly nint[] _scores = new nint[4];
    private static readonly nint[] _values = new nint[2];

    /// <summary>Whether a form has them on this machine.</summary>
    public static bool Has(KernelForm form) => form == KernelForm.Assembled512 && ProcessorFeatures.HasBFloat16Dot512;

    /// <summary>Scores for groups with one or two chains, on rows with scales or without.</summary>
    public static delegate* unmanaged[SuppressGCTransition]<LatentScoreCall*, void> Scores(int chains, bool isScaled) =>
        (delegate* unmanaged[SuppressGCTransition]<LatentScoreCall*, void>)Get(_scores, chains, isScaled);

    /// <summary>Weighted sums for groups with one or two chains.</summary>
    public static delegate* unmanaged[SuppressGCTransition]<LatentValueCall*, void> Values(int chains) =>
        (delegate* unmanaged[SuppressGCTransition]<LatentValueCall*, void>)Get(_values, chains);

    private static nint Get(nint[] kernels, int chains, bool isScaled = false)
    {
        int index = chains - 1 + (isScaled ? 2 : 0);
        nint kernel = Volatile.Read(ref kernels[index]);
        if (kernel != 0) return kernel;
        lock (_gate)
        {
            if (kernels[index] == 0)
            {
                KernelCode code = kernels == _scores ? new LatentScoreCode(chains, isScaled) : new LatentValueCode(chains);
                Volatile.Write(ref kernels[index], (nint)code.Place());
            }

            return kernels[index];
        }
    }
}
