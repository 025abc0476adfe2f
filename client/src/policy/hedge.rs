//! Hedged reads: a read that takes unusually long is sent to a second copy, and the first answer wins.

use std::{future::Future, pin::pin, time::Duration};

use super::{BudgetConfig, NodeLoad, ShareBudget};

/// When reads are hedged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HedgeConfig {
    /// A read is hedged once it has taken longer than this share of the node's recent answers.
    pub quantile: f64,
    /// The least wait: below it the noise of the network decides, not the node.
    pub delay_min: Duration,
    /// The longest wait, however slow the node has become.
    pub delay_max: Duration,
    /// How many extra reads there may be.
    pub budget: BudgetConfig,
}

impl Default for HedgeConfig {
    fn default() -> Self {
        Self {
            quantile: 0.95,
            delay_min: Duration::from_millis(1),
            delay_max: Duration::from_millis(100),
            budget: BudgetConfig::HEDGE,
        }
    }
}

/// Decides which reads are hedged. For reads only: a hedged write would be executed twice.
#[derive(Debug)]
pub struct Hedger {
    config: HedgeConfig,
    budget: ShareBudget,
}

/// What a race of a read and its hedge came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raced<T> {
    /// The read was answered by the copy that it was sent to first.
    First(T),
    /// The hedge was answered sooner.
    Hedge(T),
}

impl<T> Raced<T> {
    /// The answer, wherever it came from.
    pub fn into_inner(self) -> T {
        match self {
            Self::First(answer) | Self::Hedge(answer) => answer,
        }
    }
}

impl Hedger {
    /// A hedger with a full budget.
    #[must_use]
    pub fn new(config: HedgeConfig) -> Self {
        Self { config, budget: ShareBudget::new(config.budget) }
    }

    /// How long to wait for this node before hedging; nothing while too little is known of it.
    #[must_use]
    pub fn delay(&self, load: &NodeLoad) -> Option<Duration> {
        let quantile = load.quantile()?;
        Some(quantile.max(self.config.delay_min).min(self.config.delay_max))
    }

    /// Runs a read; if `delay` passes without an answer and the budget allows it, runs `hedge` too. The first success
    /// wins and the other is dropped; the error of one is answered only when the other failed as well.
    ///
    /// `hedge` answers nothing if there is no second copy to ask, which costs no budget's worth of traffic.
    pub async fn race<T, E, H>(
        &self,
        delay: Option<Duration>,
        read: impl Future<Output = Result<T, E>>,
        hedge: impl FnOnce() -> Option<H>,
    ) -> Raced<Result<T, E>>
    where
        H: Future<Output = Result<T, E>>,
    {
        self.budget.deposit();
        let Some(delay) = delay else {
            return Raced::First(read.await);
        };
        let mut read = pin!(read);
        tokio::select! {
            biased;
            answer = &mut read => return Raced::First(answer),
            () = tokio::time::sleep(delay) => {}
        }
        if self.budget.available() == 0 {
            return Raced::First(read.await);
        }
        let Some(hedge) = hedge().filter(|_| self.budget.try_spend()) else {
            return Raced::First(read.await);
        };
        let mut hedge = pin!(hedge);
        tokio::select! {
            biased;
            answer = &mut read => match answer {
                Ok(answer) => Raced::First(Ok(answer)),
                Err(error) => Raced::Hedge(hedge.await.map_err(|_| error)),
            },
            answer = &mut hedge => match answer {
                Ok(answer) => Raced::Hedge(Ok(answer)),
                Err(_) => Raced::First(read.await),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::Arc, time::Instant};
    use tokio::time::sleep;

    const MS: Duration = Duration::from_millis(1);

    async fn after(delay: Duration, answer: Result<u8, u8>) -> Result<u8, u8> {
        sleep(delay).await;
        answer
    }

    fn hedger(burst: u32) -> Hedger {
        let budget = BudgetConfig { share: 0.05, burst };
        Hedger::new(HedgeConfig { budget, ..HedgeConfig::default() })
    }

    #[tokio::test(start_paused = true)]
    async fn a_quick_read_is_not_hedged() {
        let read = after(MS, Ok(1));
        let hedger = hedger(1);
        let raced = hedger.race(Some(5 * MS), read, || -> Option<std::future::Ready<Result<u8, u8>>> {
            panic!("hedged a quick read")
        });
        assert_eq!(raced.await, Raced::First(Ok(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_read_is_answered_by_its_hedge() {
        let hedger = hedger(1);
        let raced = hedger.race(Some(5 * MS), after(1000 * MS, Ok(1)), || Some(after(MS, Ok(2))));
        assert_eq!(raced.await, Raced::Hedge(Ok(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hedge_that_fails_leaves_the_read_its_time() {
        let hedger = hedger(1);
        let raced = hedger.race(Some(5 * MS), after(100 * MS, Ok(1)), || Some(after(MS, Err(9))));
        assert_eq!(raced.await, Raced::First(Ok(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_that_fails_late_is_saved_by_its_hedge() {
        let hedger = hedger(1);
        let raced = hedger.race(Some(5 * MS), after(6 * MS, Err(9)), || Some(after(100 * MS, Ok(2))));
        assert_eq!(raced.await, Raced::Hedge(Ok(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn when_both_fail_the_reads_own_error_is_answered() {
        let hedger = hedger(1);
        let raced = hedger.race(Some(5 * MS), after(6 * MS, Err(1)), || Some(after(100 * MS, Err(2))));
        assert_eq!(raced.await.into_inner(), Err(1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_budget_ends_hedging() {
        let hedger = hedger(2);
        let mut hedged = 0;
        for _ in 0..10 {
            let raced = hedger.race(Some(MS), after(10 * MS, Ok(1)), || Some(after(MS, Ok(2)))).await;
            hedged += u32::from(matches!(raced, Raced::Hedge(_)));
        }
        assert_eq!(hedged, 2);
    }

    #[test]
    fn the_delay_is_the_nodes_own_quantile_within_bounds() {
        let (hedger, load) = (hedger(1), Arc::new(NodeLoad::new(0.95)));
        assert_eq!(hedger.delay(&load), None);
        (0..64).for_each(|_| load.record(Duration::from_micros(90), Instant::now()));
        assert_eq!(hedger.delay(&load), Some(MS));
        (0..1000).for_each(|_| load.record(20 * MS, Instant::now()));
        assert!(hedger.delay(&load).is_some_and(|delay| delay >= 20 * MS && delay < 24 * MS));
    }
}
