namespace Marten.Events;

/// <summary>Reads streams of a Marten store.</summary>
public interface IQueryEventStore : JasperFx.Events.IQueryEventStore;

/// <summary>Reads and writes streams of a Marten store.</summary>
public interface IEventStoreOperations : JasperFx.Events.IEventStoreOperations, IQueryEventStore;
