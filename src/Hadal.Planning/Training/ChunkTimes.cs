using Hadal.Model.Configuration;
using Hadal.Planning.Clusters;
using Hadal.Planning.Models;
using Hadal.Planning.Plans;

namespace Hadal.Planning.Training;

/// <summary>Seconds that the parts of a chunk take: a layer's measured times, scaled by operations and bytes to the plan's model, and by peak rates to its devices.</summary>
internal sealed class ChunkTimes
{
    /// <summary>Tokens for which a layer's times were measured.</summary>
    private const int MeasuredTokens = 4096;

    private static readonly ModelConfig _measuredModel = new();
    private readonly TrainingPlan _plan;
    private readonly double _tokens, _compute;
    private readonly bool _fp8;

    public ChunkTimes(TrainingPlan plan)
    {
        (_plan, _tokens, _fp8) = (plan, plan.MicroBatchTokens, plan.Layout.Precision == TrainingPrecision.Fp8);
        _compute = Cluster.H800.Fp8Tflops / plan.Cluster.Fp8Tflops;
        (Dense, Experts) = (Layer(false), Layer(true));
        double product = 2 * _tokens * LayerWork.VocabularyWeights(plan.Model) / (plan.Cluster.Bf16ReachedTflops * 1e12);
        Head = new Pass(product, product, product);
        double projection = 2 * _tokens * LayerWork.MtpProjectionWeights(plan.Model) / (plan.Cluster.Bf16ReachedTflops * 1e12);
        MtpProjection = new Pass(projection, projection, projection);
    }

    /// <summary>Forward, backward for inputs, weight gradient of something that only computes.</summary>
    public readonly record struct Pass(double Forward, double Backward, double Weights)
    {
        public double Sum => Forward + Backward + Weights;
    }

    /// <summary>A layer's parts; the movements are 0 for a dense layer.</summary>
    public sealed record Parts(Pass Attention, Pass Mlp)
    {
        public double Dispatch { get; init; }

        public double Combine { get; init; }

        public double GradientDispatch { get; init; }

        public double GradientCombine { get; init; }

        /// <summary>The first of a pair, which nothing runs beside.</summary>
        public double GradientDispatchAlone { get; init; }

        /// <summary>Dispatch and combine of a forward that nothing runs beside.</summary>
        public double Moves { get; init; }

        /// <summary>Those of a backward that nothing runs beside.</summary>
        public double BackwardMoves { get; init; }
    }

    /// <summary>A layer with a dense MLP.</summary>
    public Parts Dense { get; }

    /// <summary>A layer with experts.</summary>
    public Parts Experts { get; }

    /// <summary>The output head, in BF16.</summary>
    public Pass Head { get; }

    /// <summary>An MTP module's projection, in BF16.</summary>
    public Pass MtpProjection { get; }

    /// <summary>Parts of a layer.</summary>
    public Parts Of(bool experts) => experts ? Experts : Dense;

    /// <summary>What a stage computes besides its layers: heads and projections of MTP modules.</summary>
    public Pass Ends(StageContent stage) => new(
        stage.Heads * Head.Forward + stage.MtpModules * MtpProjection.Forward, stage.Heads * Head.Backward + stage.MtpModules * MtpProjection.Backward,
        stage.Heads * Head.Weights + stage.MtpModules * MtpProjection.Weights);

    /// <summary>Everything that a stage computes for a chunk, forward and backward, without movements.</summary>
    public double Compute(StageContent stage) => Ends(stage).Sum + stage.Experts.Sum(e => Of(e).Attention.Sum + Of(e).Mlp.Sum);

    /// <summary>F of a chunk that nothing runs beside: experts' inputs and outputs move while nothing computes.</summary>
    /// <param name="stage">Its stage.</param>
    /// <param name="compute">How long computing takes, beside what it takes in an overlapped pair.</param>
    public double Forward(StageContent stage, double compute = 1) =>
        compute * (Ends(stage).Forward + stage.Experts.Select(Of).Sum(p => p.Attention.Forward + p.Mlp.Forward)) + Moves(stage);

    /// <summary>The backward for inputs of a chunk that nothing runs beside.</summary>
    /// <param name="stage">Its stage.</param>
    /// <param name="compute">How long computing takes, beside what it takes in an overlapped pair.</param>
    public double Backward(StageContent stage, double compute = 1) =>
        compute * (Ends(stage).Backward + stage.Experts.Select(Of).Sum(p => p.Attention.Backward + p.Mlp.Backward)) + BackwardMoves(stage);

    /// <summary>What moves in the forward of a chunk that nothing runs beside.</summary>
    public double Moves(StageContent stage) => stage.Experts.Select(Of).Sum(p => p.Moves);

    /// <summary>What moves in its backward.</summary>
    public double BackwardMoves(StageContent stage) => stage.Experts.Select(Of).Sum(p => p.BackwardMoves);

    /// <summary>W of a chunk.</summary>
    public double Weights(StageContent stage) => Ends(stage).Weights + stage.Experts.Select(Of).Sum(p => p.Attention.Weights + p.Mlp.Weights);

    private Parts Layer(bool experts)
    {
        var (model, measured, t) = (_plan.Model, _measuredModel, _plan.Cluster.LayerMilliseconds);
        int length = _plan.SequenceLength;

        // Projections go with weights, the core with operations of scores and values; norms and casts, which are bound by memory, are counted among the projections.
        double tokens = _tokens / MeasuredTokens;
        double projections = tokens * LayerWork.AttentionWeights(model) / LayerWork.AttentionWeights(measured);
        double core = tokens * LayerWork.CoreAttention(model, length) / LayerWork.CoreAttention(measured, MeasuredTokens);
        double mlp = tokens * LayerWork.ActiveMlpWeights(model, experts) / LayerWork.ActiveMlpWeights(measured, experts: true);
        bool again = _plan.Layout.Recompute == Recomputation.Layers, less = _plan.Layout.Recompute != Recomputation.UpProjections;
        double moreAttention = Slower(LayerWork.AttentionWeights(model)), moreMlp = Slower(LayerWork.ActiveMlpWeights(model, experts));

        double attentionForward = Time(t.AttentionForward - t.CoreForward, projections) + Time(t.CoreForward, core) + moreAttention;
        double attentionBackward = Time(t.AttentionBackward - t.CoreBackward - (less ? t.AttentionRecompute : 0), projections) + Time(t.CoreBackward, core) + moreAttention;
        double mlpForward = Time(t.MlpForward, mlp) + moreMlp, mlpBackward = Time(t.MlpBackward - (less ? t.MlpRecompute : 0), mlp) + moreMlp;
        var parts = new Parts(
            new Pass(attentionForward, attentionBackward + (again ? attentionForward : 0), Time(t.AttentionWeights, projections) + moreAttention),
            new Pass(mlpForward, mlpBackward + (again ? mlpForward : 0), Time(t.MlpWeights, mlp) + moreMlp));
        if (!experts) return parts;
        var (dispatch, combine) = Movements();
        double beside = (dispatch * t.Dispatch + combine * t.Combine) / 1e3, alone = (dispatch * t.DispatchAlone + combine * t.CombineAlone) / 1e3;
        return parts with
        {
            Dispatch = dispatch * t.Dispatch / 1e3,
            Combine = combine * t.Combine / 1e3,

            // A layer that is computed again moves its experts' inputs and outputs once more before its backward.
            GradientDispatch = dispatch * t.GradientDispatch / 1e3 + (again ? beside : 0),
            GradientCombine = combine * t.GradientCombine / 1e3,
            GradientDispatchAlone = dispatch * t.GradientDispatchAlone / 1e3 + (again ? alone : 0),
            Moves = alone,
            BackwardMoves = again ? 2 * alone : alone,
        };
    }

    private double Time(double milliseconds, double work) => milliseconds / 1e3 * work * _compute;

    /// <summary>In BF16 a product takes twice as long as in FP8; what it takes in FP8 comes on top.</summary>
    private double Slower(double weights) => _fp8 ? 0 : 2 * _tokens * weights / (_plan.Cluster.Fp8ReachedTflops * 1e12);

    /// <summary>
    /// How long dispatch and combine take compared with those that were measured, by bytes through the narrower link. Over the network a token goes once to each node that has experts of its
    /// groups, within a node once to each device that has; a group of experts lies on as many nodes or devices as it needs. Alone on a device, nothing moves.
    /// </summary>
    private (double Dispatch, double Combine) Movements()
    {
        var (model, cluster) = (_plan.Model, _plan.Cluster);
        int width = _plan.Layout.Experts;
        if (width == 1) return (0, 0);
        int nodes = (width + cluster.DevicesPerNode - 1) / cluster.DevicesPerNode;
        bool network = nodes > 1;
        double places = network ? nodes : width, ofGroups = model.KeptGroups * Math.Max(1, places / model.Groups);
        double copies = Math.Min(Math.Min(ofGroups, model.ExpertsPerToken), network ? places : places - 1);
        double bandwidth = network ? cluster.NetworkGbPerS : cluster.NodeGbPerS;
        double share = _tokens * copies / bandwidth, measured = MeasuredTokens * (double)_measuredModel.KeptGroups / Cluster.H800.NetworkGbPerS;
        return (share * LayerWork.DispatchBytes(model, _fp8) / (measured * LayerWork.DispatchBytes(_measuredModel, fp8: true)),
            share * LayerWork.CombineBytes(model) / (measured * LayerWork.CombineBytes(_measuredModel)));
    }
}
