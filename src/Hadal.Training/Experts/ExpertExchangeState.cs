namespace Hadal.Training.Experts;

/// <summary>What an <see cref="IExpertExchange"/> remembers of one layer and micro-batch between dispatch and the end of the backward.</summary>
internal abstract class ExpertExchangeState;
